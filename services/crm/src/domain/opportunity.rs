use bhiv_types::{Amount, Currency, Patch, State};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{AccountId, ContactId, LeadId};

/// A place in the pipeline.
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
pub enum Stage {
    /// Is there a need and a budget?
    #[default]
    Qualification,
    /// An offer is made.
    Proposal,
    /// The offer is discussed.
    Negotiation,
    /// They bought.
    Won,
    /// They did not.
    Lost,
}

impl State for Stage {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Qualification, &[Self::Proposal, Self::Negotiation, Self::Won, Self::Lost]),
        (Self::Proposal, &[Self::Qualification, Self::Negotiation, Self::Won, Self::Lost]),
        (Self::Negotiation, &[Self::Qualification, Self::Proposal, Self::Won, Self::Lost]),
        (Self::Won, &[]),
        // Who said no may come back.
        (Self::Lost, &[Self::Qualification, Self::Proposal, Self::Negotiation]),
    ];
}

impl Stage {
    /// Whether it is decided: won, or lost.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// The chance of winning from here, 0 to 1, when nobody says otherwise.
    pub fn usual_probability(self) -> f64 {
        match self {
            Self::Qualification => 0.2,
            Self::Proposal => 0.4,
            Self::Negotiation => 0.7,
            Self::Won => 1.0,
            Self::Lost => 0.0,
        }
    }
}

/// What is known when an opportunity is opened.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOpportunity {
    /// The lead it comes from.
    pub lead_id: LeadId,
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
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// The account that would buy.
    pub account_id: Option<AccountId>,
    /// The person there.
    pub contact_id: Option<ContactId>,
    /// Who works on it; whoever works on the lead, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub owner: Option<String>,
    /// The team that does; the lead's, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub team: Option<String>,
}

/// What may be changed about an opportunity. Absent fields stay, `null` clears. The stage has a request of
/// its own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityChange {
    /// Expected revenue, in the opportunity's currency.
    pub value: Option<Amount>,
    /// Chance of winning it.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: Option<f64>,
    /// When it should be decided; not in the past.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub expected_close_date: Patch<NaiveDate>,
    /// What it is called.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub name: Patch<String>,
    /// The account that would buy.
    #[serde(default)]
    #[schema(value_type = Option<AccountId>)]
    pub account_id: Patch<AccountId>,
    /// The person there.
    #[serde(default)]
    #[schema(value_type = Option<ContactId>)]
    pub contact_id: Patch<ContactId>,
    /// Who works on it; `null` is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub owner: Patch<String>,
    /// The team that does.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub team: Patch<String>,
}

/// Where an opportunity is moved.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageChange {
    /// The next stage.
    pub stage: Stage,
    /// Why it was lost; only with `lost`.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_won_stays_won_and_what_is_lost_may_come_back() {
        assert!(Stage::Won.is_final() && !Stage::Lost.is_final());
        assert!(Stage::Lost.become_(Stage::Won).is_err(), "it is open again first");
        for open in [Stage::Qualification, Stage::Proposal, Stage::Negotiation] {
            assert!(!open.is_closed() && Stage::Lost.become_(open).is_ok());
            assert!(open.become_(Stage::Won).is_ok() && open.become_(Stage::Lost).is_ok());
        }
    }
}
