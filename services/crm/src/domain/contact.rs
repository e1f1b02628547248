use bhiv_types::{Email, Patch};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ids::AccountId;

/// What is known of a person when they become a contact.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their phone number.
    #[schema(min_length = 3, max_length = 40)]
    pub phone: Option<String>,
    /// What they do there.
    #[schema(min_length = 1, max_length = 100)]
    pub title: Option<String>,
    /// Where they work.
    pub account_id: Option<AccountId>,
    /// Whether they asked to be left alone.
    #[serde(default)]
    pub do_not_contact: bool,
    /// Who looks after them; the caller, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub owner: Option<String>,
    /// The team that does; the caller's, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub team: Option<String>,
}

/// What may be changed about a contact. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactChange {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Their e-mail address.
    #[serde(default)]
    #[schema(value_type = Option<Email>)]
    pub email: Patch<Email>,
    /// Their phone number.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 40)]
    pub phone: Patch<String>,
    /// What they do there.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub title: Patch<String>,
    /// Where they work.
    #[serde(default)]
    #[schema(value_type = Option<AccountId>)]
    pub account_id: Patch<AccountId>,
    /// Whether they asked to be left alone.
    pub do_not_contact: Option<bool>,
    /// Who looks after them; `null` is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub owner: Patch<String>,
    /// The team that does.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub team: Patch<String>,
}
