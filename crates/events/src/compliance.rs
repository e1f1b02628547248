//! What compliance tells: consent and verdicts.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[cfg(doc)]
use crate::PersonErased;
use crate::{Kept, Removed, contract, sample};

/// A person agreed to a purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentGranted {
    /// Id of the consent: one for all that this person says to this purpose, so that `sequence` orders it.
    pub consent_id: Uuid,
    /// Who agreed, for example `lead/0190...`.
    pub person: String,
    /// What for, for example `contact`.
    pub purpose: String,
    /// The notice that they were shown.
    pub notice_version: Option<String>,
}

contract!(ConsentGranted = Compliance "compliance" "consent" "granted" "v1", "consent" / consent_id);

impl ConsentGranted {
    fn canned() -> Self {
        Self {
            consent_id: sample::CONSENT,
            person: format!("lead/{}", sample::LEAD),
            purpose: "contact".to_owned(),
            notice_version: Some("2026-01".to_owned()),
        }
    }
}

/// A person withdrew or refused consent for a purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentRevoked {
    /// Id of the consent: one for all that this person says to this purpose, so that `sequence` orders it.
    pub consent_id: Uuid,
    /// Who withdrew it, for example `lead/0190...`.
    pub person: String,
    /// What for, for example `contact`.
    pub purpose: String,
}

contract!(ConsentRevoked = Compliance "compliance" "consent" "revoked" "v1", "consent" / consent_id);

impl ConsentRevoked {
    fn canned() -> Self {
        Self {
            consent_id: sample::CONSENT,
            person: format!("lead/{}", sample::LEAD),
            purpose: "contact".to_owned(),
        }
    }
}

/// A rule that decided a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Id of the policy.
    pub id: String,
    /// What it says, in plain words.
    pub says: String,
}

/// An event was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComplianceChecked {
    /// Id of the check.
    pub check_id: Uuid,
    /// The event judged.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// What the event was about, for example `lead/0190...`.
    pub entity: String,
    /// `compliant` or `violation`.
    pub verdict: String,
    /// The rules that decided it.
    pub rules: Vec<Rule>,
}

contract!(ComplianceChecked = Compliance "compliance" "compliance" "checked" "v1", "check" / check_id);

impl ComplianceChecked {
    fn canned() -> Self {
        Self {
            check_id: sample::CHECK,
            event_id: sample::EVENT,
            event_type: "lead_created".to_owned(),
            entity: format!("lead/{}", sample::LEAD),
            verdict: "compliant".to_owned(),
            rules: vec![Rule {
                id: "ordinary-business".to_owned(),
                says: "Ordinary business is permitted".to_owned(),
            }],
        }
    }
}

/// An event broke a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComplianceViolation {
    /// Id of the check that found it.
    pub check_id: Uuid,
    /// The event that broke the rule.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// What the event was about, for example `lead/0190...`.
    pub entity: String,
    /// The rules that it broke.
    pub rules: Vec<Rule>,
}

contract!(ComplianceViolation = Compliance "compliance" "compliance" "violation" "v1", "check" / check_id);

impl ComplianceViolation {
    fn canned() -> Self {
        Self {
            check_id: sample::CHECK,
            event_id: sample::EVENT,
            event_type: "lead_created".to_owned(),
            entity: format!("lead/{}", sample::LEAD),
            rules: vec![Rule {
                id: "lead-needs-consent".to_owned(),
                says: "A lead may be kept only with consent to be contacted".to_owned(),
            }],
        }
    }
}

/// A person is to be forgotten at a time that is still to come, and has to be told of it before: 48 hours under India's DPDP
/// Rules. Until then it can be called off. What is forgotten at once is not announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureAnnounced {
    /// Id of the erasure.
    pub erasure_id: Uuid,
    /// Who is to be forgotten, for example `lead/0190...`.
    pub person: String,
    /// The law that wants it: `gdpr` or `dpdp`.
    pub regime: String,
    /// When every module is told, and nothing can be called off any more.
    pub erase_at: DateTime<Utc>,
}

contract!(ErasureAnnounced = Compliance "compliance" "erasure" "announced" "v1", "erasure" / erasure_id);

impl ErasureAnnounced {
    fn canned() -> Self {
        Self {
            erasure_id: sample::ERASURE,
            person: format!("lead/{}", sample::LEAD),
            regime: "dpdp".to_owned(),
            erase_at: sample::time() + TimeDelta::hours(48),
        }
    }
}

/// An erasure was called off after it was announced: the person's data stays, and nobody has to tell them any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureCancelled {
    /// Id of the erasure.
    pub erasure_id: Uuid,
    /// Who was to be forgotten, for example `lead/0190...`.
    pub person: String,
}

contract!(ErasureCancelled = Compliance "compliance" "erasure" "cancelled" "v1", "erasure" / erasure_id);

impl ErasureCancelled {
    fn canned() -> Self {
        Self { erasure_id: sample::ERASURE, person: format!("lead/{}", sample::LEAD) }
    }
}

/// A person is to be forgotten: every module removes what it has about them and tells of it by
/// [`PersonErased`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureRequested {
    /// Id of the erasure.
    pub erasure_id: Uuid,
    /// Who is to be forgotten, for example `lead/0190...`.
    pub person: String,
    /// What else the same person is known as, for example `contact/0190...`, `user/ravi` or an e-mail address.
    pub also: Vec<String>,
}

contract!(ErasureRequested = Compliance "compliance" "erasure" "requested" "v1", "erasure" / erasure_id);

impl ErasureRequested {
    fn canned() -> Self {
        Self { erasure_id: sample::ERASURE, person: format!("lead/{}", sample::LEAD), also: Vec::new() }
    }

    /// All that the person is known as.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.person).chain(&self.also).map(String::as_str)
    }
}

/// Every module removed what it had about a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureCompleted {
    /// Id of the erasure.
    pub erasure_id: Uuid,
    /// Who was forgotten, for example `lead/0190...`.
    pub person: String,
    /// What each module did, by its name.
    pub modules: Vec<ModuleErasure>,
}

/// What one module did for an erasure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleErasure {
    /// The module, for example `crm`.
    pub module: String,
    /// What it removed.
    pub removed: Vec<Removed>,
    /// What it kept, and why it may.
    pub kept: Vec<Kept>,
}

contract!(ErasureCompleted = Compliance "compliance" "erasure" "completed" "v1", "erasure" / erasure_id);

impl ErasureCompleted {
    fn canned() -> Self {
        Self {
            erasure_id: sample::ERASURE,
            person: format!("lead/{}", sample::LEAD),
            modules: vec![ModuleErasure {
                module: "crm".to_owned(),
                removed: vec![Removed { what: "leads".to_owned(), count: 1 }],
                kept: Vec::new(),
            }],
        }
    }
}

/// Something that the law wants done within a time was not: a person's request, or the report of a breach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DutyOverdue {
    /// Id of the duty.
    pub duty_id: Uuid,
    /// `access`, `erasure`, `correction`, `portability` or `breach_report`.
    pub duty: String,
    /// The law that wants it: `gdpr` or `dpdp`.
    pub regime: String,
    /// When its time began.
    pub received_at: DateTime<Utc>,
    /// When it ended.
    pub due_at: DateTime<Utc>,
}

contract!(DutyOverdue = Compliance "compliance" "duty" "overdue" "v1", "duty" / duty_id);

impl DutyOverdue {
    fn canned() -> Self {
        Self {
            duty_id: sample::DUTY,
            duty: "access".to_owned(),
            regime: "gdpr".to_owned(),
            received_at: sample::time(),
            due_at: sample::time() + chrono::TimeDelta::days(31),
        }
    }
}
