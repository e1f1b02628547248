//! What crm tells: leads, opportunities, accounts.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{contract, sample};

/// A lead came in. It carries no e-mail address or phone number: who needs them asks crm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadCreated {
    /// Id of the lead.
    pub lead_id: Uuid,
    /// Name of the person.
    pub name: String,
    /// Their company.
    pub company: Option<String>,
    /// Where the lead came from, for example `website`.
    pub source: Option<String>,
    /// What they can spend.
    pub budget: Option<Decimal>,
    /// What they want, in their words.
    pub need: Option<String>,
    /// When they want it, in their words.
    pub timeline: Option<String>,
    /// Whether a phone number is known.
    pub has_phone: bool,
    /// The purposes that the person agreed to when the lead was made.
    pub consent_purposes: Vec<String>,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(LeadCreated = Crm "crm" "lead" "created" "v1", "lead" / lead_id);

impl LeadCreated {
    fn canned() -> Self {
        Self {
            lead_id: sample::LEAD,
            name: "Asha Verma".to_owned(),
            company: Some("Verma Textiles".to_owned()),
            source: Some("website".to_owned()),
            budget: Some(sample::price()),
            need: Some("warehouse management".to_owned()),
            timeline: Some("this quarter".to_owned()),
            has_phone: true,
            consent_purposes: vec!["contact".to_owned()],
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// Fields of a lead changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadUpdated {
    /// Id of the lead.
    pub lead_id: Uuid,
    /// Names of the fields that changed.
    pub changed: Vec<String>,
    /// `new`, `contacted`, `qualified`, `converted` or `lost`.
    pub status: String,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(LeadUpdated = Crm "crm" "lead" "updated" "v1", "lead" / lead_id);

impl LeadUpdated {
    fn canned() -> Self {
        Self {
            lead_id: sample::LEAD,
            changed: vec!["status".to_owned()],
            status: "contacted".to_owned(),
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// A lead became a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadConverted {
    /// Id of the lead.
    pub lead_id: Uuid,
    /// The customer's account.
    pub account_id: Uuid,
    /// The person there.
    pub contact_id: Uuid,
    /// What may come of it, when it is known.
    pub opportunity_id: Option<Uuid>,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(LeadConverted = Crm "crm" "lead" "converted" "v1", "lead" / lead_id);

impl LeadConverted {
    fn canned() -> Self {
        Self {
            lead_id: sample::LEAD,
            account_id: sample::ACCOUNT,
            contact_id: sample::CONTACT,
            opportunity_id: Some(sample::OPPORTUNITY),
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// Two leads were found to be the same person: one takes over what belonged to the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadMerged {
    /// Id of the lead that goes on.
    pub lead_id: Uuid,
    /// The one that ended in it.
    pub merged_id: Uuid,
    /// False when the merge was taken back.
    pub merged: bool,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(LeadMerged = Crm "crm" "lead" "merged" "v1", "lead" / lead_id);

impl LeadMerged {
    fn canned() -> Self {
        Self {
            lead_id: sample::LEAD,
            merged_id: sample::CONTACT,
            merged: true,
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// An opportunity was opened on a lead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpportunityCreated {
    /// Id of the opportunity.
    pub opportunity_id: Uuid,
    /// The lead it came from.
    pub lead_id: Uuid,
    /// Expected revenue, in `currency`.
    pub value: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// `qualification`, `proposal` or `negotiation`.
    pub stage: String,
    /// Chance of winning it, 0 to 1.
    pub probability: f64,
    /// When it should be decided.
    pub expected_close_date: Option<NaiveDate>,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(OpportunityCreated = Crm "crm" "opportunity" "created" "v1", "opportunity" / opportunity_id);

impl OpportunityCreated {
    fn canned() -> Self {
        Self {
            opportunity_id: sample::OPPORTUNITY,
            lead_id: sample::LEAD,
            value: sample::price(),
            currency: "INR".to_owned(),
            stage: "qualification".to_owned(),
            probability: 0.4,
            expected_close_date: Some(sample::day()),
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// An opportunity moved along the pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpportunityStageChanged {
    /// Id of the opportunity.
    pub opportunity_id: Uuid,
    /// The lead it came from.
    pub lead_id: Uuid,
    /// The stage before.
    pub from: String,
    /// The stage after.
    pub to: String,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(OpportunityStageChanged = Crm "crm" "opportunity" "stage_changed" "v1", "opportunity" / opportunity_id);

impl OpportunityStageChanged {
    fn canned() -> Self {
        Self {
            opportunity_id: sample::OPPORTUNITY,
            lead_id: sample::LEAD,
            from: "qualification".to_owned(),
            to: "proposal".to_owned(),
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// An opportunity was won.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpportunityWon {
    /// Id of the opportunity.
    pub opportunity_id: Uuid,
    /// The lead it came from.
    pub lead_id: Uuid,
    /// What it brought, in `currency`.
    pub value: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(OpportunityWon = Crm "crm" "opportunity" "won" "v1", "opportunity" / opportunity_id);

impl OpportunityWon {
    fn canned() -> Self {
        Self {
            opportunity_id: sample::OPPORTUNITY,
            lead_id: sample::LEAD,
            value: sample::price(),
            currency: "INR".to_owned(),
            owner: Some("ravi".to_owned()),
            team: None,
        }
    }
}

/// An opportunity was lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpportunityLost {
    /// Id of the opportunity.
    pub opportunity_id: Uuid,
    /// The lead it came from.
    pub lead_id: Uuid,
    /// What it would have brought, in `currency`.
    pub value: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(OpportunityLost = Crm "crm" "opportunity" "lost" "v1", "opportunity" / opportunity_id);

impl OpportunityLost {
    fn canned() -> Self {
        let OpportunityWon { opportunity_id, lead_id, value, currency, owner, team } =
            OpportunityWon::canned();
        Self { opportunity_id, lead_id, value, currency, owner, team }
    }
}

/// An account was created or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountChanged {
    /// Id of the account.
    pub account_id: Uuid,
    /// `created` or `updated`.
    pub change: String,
    /// Name of the account.
    pub name: String,
    /// `active` or `inactive`.
    pub status: String,
    /// Who works on it; null when nobody does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team that works on it.
    #[serde(default)]
    pub team: Option<String>,
}

contract!(AccountChanged = Crm "crm" "account" "changed" "v1", "account" / account_id);

impl AccountChanged {
    fn canned() -> Self {
        Self {
            account_id: sample::ACCOUNT,
            change: "created".to_owned(),
            name: "Verma Textiles".to_owned(),
            status: "active".to_owned(),
            owner: None,
            team: None,
        }
    }
}
