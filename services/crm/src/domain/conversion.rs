use bhiv_types::{Amount, Currency};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ids::{AccountId, ContactId};
use super::opportunity::Stage;

/// What a lead becomes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// The account that the customer has already; a new one, unless it says otherwise.
    pub account_id: Option<AccountId>,
    /// What the new account is called; the lead's company, or the person, unless it says otherwise.
    #[schema(min_length = 1, max_length = 200)]
    pub account_name: Option<String>,
    /// The person, if they are a contact already; a new one, unless it says otherwise.
    pub contact_id: Option<ContactId>,
    /// What may come of it; nothing yet, unless it says otherwise.
    pub opportunity: Option<Prospect>,
    /// What happens when an account or a contact looks like one that is there.
    #[serde(default)]
    pub duplicates: OnDuplicates,
}

/// What happens when a record looks like one that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicates {
    /// Nothing is made, and the others are named.
    #[default]
    Refuse,
    /// It is made all the same.
    Allow,
}

/// An opportunity that a conversion opens.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prospect {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Expected revenue, in `currency`.
    pub value: Amount,
    /// `INR`, unless it says otherwise.
    #[serde(default)]
    pub currency: Currency,
    /// `qualification`, unless it says otherwise; not `won` or `lost`.
    #[serde(default)]
    pub stage: Stage,
    /// Chance of winning it; the stage's usual one, unless it says otherwise.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: Option<f64>,
    /// When it should be decided; not in the past.
    pub expected_close_date: Option<NaiveDate>,
}
