use bhiv_types::{Amount, Email, Patch, Purpose, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a lead stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LeadStatus {
    /// Nobody has spoken to them yet.
    New,
    /// Somebody has.
    Contacted,
    /// Their budget, authority, need and timeline are known.
    Qualified,
    /// They are a customer now.
    Converted,
    /// They will not be one.
    Lost,
}

impl State for LeadStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::New, &[Self::Contacted, Self::Qualified, Self::Lost]),
        (Self::Contacted, &[Self::Qualified, Self::Lost]),
        (Self::Qualified, &[Self::Converted, Self::Lost]),
        (Self::Converted, &[]),
        (Self::Lost, &[Self::New]),
    ];
}

/// What a person may decide where they work.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Authority {
    /// They decide.
    DecisionMaker,
    /// They are asked.
    Influencer,
    /// They will use it.
    User,
}

/// What is not known of a lead that qualified ones have, by the names of the fields. `has` says, for budget,
/// authority, need and timeline (BANT), whether it is.
pub fn lacks(has: [bool; 4]) -> Vec<&'static str> {
    let names = ["budget", "authority", "need", "timeline"];
    names.into_iter().zip(has).filter(|(_, has)| !has).map(|(name, _)| name).collect()
}

/// What is known when a lead comes in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLead)]
pub struct NewLead {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Their e-mail address.
    pub email: Email,
    /// Their phone number.
    #[schema(min_length = 3, max_length = 40)]
    pub phone: Option<String>,
    /// Where the lead came from, for example `website`.
    #[schema(min_length = 1, max_length = 100)]
    pub source: Option<String>,
    /// Their company.
    #[schema(min_length = 1, max_length = 200)]
    pub company: Option<String>,
    /// What the person agreed to.
    pub consent: Option<Consent>,
    /// What they can spend.
    pub budget: Option<Amount>,
    /// What they want, in their words.
    #[schema(max_length = 2000)]
    pub need: Option<String>,
    /// When they want it, in their words.
    #[schema(max_length = 200)]
    pub timeline: Option<String>,
    /// What they may decide.
    pub authority: Option<Authority>,
    /// Who works on the lead; the caller, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub owner: Option<String>,
    /// The team that does; the caller's, unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub team: Option<String>,
}

/// What a person agreed to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Purposes, for example `contact`.
    #[schema(max_items = 20)]
    pub purposes: Vec<Purpose>,
}

/// What may be changed about a lead. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadChange {
    /// Name of the person.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their phone number.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 40)]
    pub phone: Patch<String>,
    /// Where the lead came from.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub source: Patch<String>,
    /// Their company.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub company: Patch<String>,
    /// What they can spend.
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    pub budget: Patch<Amount>,
    /// What they want, in their words.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub need: Patch<String>,
    /// When they want it, in their words.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub timeline: Patch<String>,
    /// What they may decide.
    #[serde(default)]
    #[schema(value_type = Option<Authority>)]
    pub authority: Patch<Authority>,
    /// Who works on the lead; `null` is nobody.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub owner: Patch<String>,
    /// The team that does.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub team: Patch<String>,
    /// Archived leads are left out of lists, unless these ask for them.
    pub archived: Option<bool>,
    /// Where the lead stands.
    pub status: Option<LeadStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_has_a_name() {
        assert_eq!(lacks([true, false, true, false]), ["authority", "timeline"]);
        assert!(lacks([true; 4]).is_empty());
    }

    #[test]
    fn a_converted_lead_stays_converted() {
        assert!(LeadStatus::Converted.is_final());
        assert!(LeadStatus::New.become_(LeadStatus::Converted).is_err());
        assert_eq!(LeadStatus::Lost.become_(LeadStatus::New), Ok(LeadStatus::New));
    }
}
