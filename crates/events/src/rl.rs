//! What rl tells: scores, decisions, outcomes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{contract, sample};

/// A lead got a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeadScored {
    /// The lead.
    pub lead_id: Uuid,
    /// Predicted chance that it is won, 0 to 1.
    pub score: f64,
    /// The decision that an outcome may be reported to.
    pub decision_id: Uuid,
    /// Version of the model that said so.
    pub model_version: i64,
}

contract!(LeadScored = Rl "rl" "lead" "scored" "v1", "lead" / lead_id);

impl LeadScored {
    fn canned() -> Self {
        Self { lead_id: sample::LEAD, score: 0.72, decision_id: sample::DECISION, model_version: 1 }
    }
}

/// A unified event got a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventScored {
    /// The unified event, as [`crate::core::UnifiedReceived`] names it.
    pub unified_id: Uuid,
    /// Predicted reward, 0 to 1.
    pub score: f64,
    /// The decision that an outcome may be reported to.
    pub decision_id: Uuid,
    /// Version of the model that said so.
    pub model_version: i64,
}

contract!(EventScored = Rl "rl" "event" "scored" "v1", "unified" / unified_id);

impl EventScored {
    fn canned() -> Self {
        Self { unified_id: sample::UNIFIED, score: 0.61, decision_id: sample::DECISION, model_version: 1 }
    }
}

/// An action was chosen among candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionMade {
    /// Id of the decision.
    pub decision_id: Uuid,
    /// What kind of decision, for example `order_approval`.
    pub decision_kind: String,
    /// What it is about, for example `order/0190...`.
    pub reference: Option<String>,
    /// The action chosen.
    pub action: String,
    /// Probability with which it was chosen, greater than 0 up to 1.
    pub propensity: f64,
    /// Predicted reward of the action, 0 to 1.
    pub score: f64,
    /// Version of the model that chose.
    pub model_version: i64,
}

contract!(DecisionMade = Rl "rl" "decision" "made" "v1", "decision" / decision_id);

impl DecisionMade {
    fn canned() -> Self {
        Self {
            decision_id: sample::DECISION,
            decision_kind: "order_approval".to_owned(),
            reference: Some(format!("order/{}", sample::ORDER)),
            action: "approve".to_owned(),
            propensity: 0.8,
            score: 0.7,
            model_version: 1,
        }
    }
}

/// A decision got its reward: the model will learn from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeRecorded {
    /// The decision.
    pub decision_id: Uuid,
    /// What kind of decision it was.
    pub decision_kind: String,
    /// What it was about.
    pub reference: Option<String>,
    /// 0, the worst, to 1, the best.
    pub reward: f64,
    /// Version of the model that decided.
    pub model_version: i64,
}

contract!(OutcomeRecorded = Rl "rl" "outcome" "recorded" "v1", "decision" / decision_id);

impl OutcomeRecorded {
    fn canned() -> Self {
        Self {
            decision_id: sample::DECISION,
            decision_kind: "order_approval".to_owned(),
            reference: Some(format!("order/{}", sample::ORDER)),
            reward: 1.0,
            model_version: 1,
        }
    }
}

/// A policy decides from now on, instead of the baseline, or what it knows now instead of what it knew once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyPromoted {
    /// What kind of decision.
    pub decision_kind: String,
    /// Version of the model from here on.
    pub model_version: i64,
    /// Whether it was promoted by itself, because it was sure to earn more.
    pub automatic: bool,
    /// What it earns more than the baseline per decision, at least, as far as is known; from -1 to 1.
    pub uplift_lower: f64,
    /// The same, at most.
    pub uplift_upper: f64,
}

contract!(PolicyPromoted = Rl "rl" "policy" "promoted" "v1", "policy" / decision_kind);

impl PolicyPromoted {
    fn canned() -> Self {
        Self {
            decision_kind: "lead_follow_up".to_owned(),
            model_version: 12,
            automatic: true,
            uplift_lower: 0.02,
            uplift_upper: 0.21,
        }
    }
}

/// A policy decides no longer: the baseline does, or what it knew once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRolledBack {
    /// What kind of decision.
    pub decision_kind: String,
    /// Version of the model from here on.
    pub model_version: i64,
    /// The version whose knowledge decides; without one the baseline does.
    pub serves: Option<i64>,
    /// Whether it was rolled back by itself, because it was sure to earn less.
    pub automatic: bool,
}

contract!(PolicyRolledBack = Rl "rl" "policy" "rolled_back" "v1", "policy" / decision_kind);

impl PolicyRolledBack {
    fn canned() -> Self {
        Self {
            decision_kind: "lead_follow_up".to_owned(),
            model_version: 13,
            serves: Some(9),
            automatic: false,
        }
    }
}
