use bhiv_types::Patch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::AccountId;

/// What an account is to us.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AccountType {
    /// May become a customer.
    Prospect,
    /// Buys.
    #[default]
    Customer,
    /// Sells with us.
    Partner,
    /// Sells to us.
    Supplier,
}

/// Whether we deal with an account.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AccountStatus {
    /// We do.
    #[default]
    Active,
    /// We did.
    Inactive,
}

/// What is known when an account is opened.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// `customer`, unless it says otherwise.
    #[serde(default)]
    pub r#type: AccountType,
    /// `active`, unless it says otherwise.
    #[serde(default)]
    pub status: AccountStatus,
    /// Where it is, in the words of sales.
    #[schema(min_length = 1, max_length = 100)]
    pub territory: Option<String>,
    /// The account that it belongs to.
    pub parent_id: Option<AccountId>,
    /// What orders call it.
    #[schema(min_length = 1, max_length = 100)]
    pub customer_id: Option<String>,
    /// Where they are on the web.
    #[schema(min_length = 1, max_length = 200)]
    pub website: Option<String>,
    /// Who works on the account; the caller, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub owner: Option<String>,
    /// The team that does; the caller's, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub team: Option<String>,
}

/// What may be changed about an account. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What it is to us.
    pub r#type: Option<AccountType>,
    /// Whether we deal with it.
    pub status: Option<AccountStatus>,
    /// Where it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub territory: Patch<String>,
    /// The account that it belongs to.
    #[serde(default)]
    #[schema(value_type = Option<AccountId>)]
    pub parent_id: Patch<AccountId>,
    /// What orders call it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub customer_id: Patch<String>,
    /// Where they are on the web.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub website: Patch<String>,
    /// Who works on the account; `null` is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub owner: Patch<String>,
    /// The team that does.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub team: Patch<String>,
}
