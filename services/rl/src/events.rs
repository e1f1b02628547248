//! What rl tells others: the only place where its events are built.

use bhiv_events::rl::{
    DecisionMade, EventScored, LeadScored, OutcomeRecorded, PolicyPromoted, PolicyRolledBack,
};
use bhiv_outbox::Tx;
use uuid::Uuid;

use crate::store::decision::Decision;
use crate::store::policy::PolicyRow;

/// A caller's question was decided.
pub fn decision_made(tx: &mut Tx, decision: &Decision) {
    let event = DecisionMade {
        decision_id: decision.id.0,
        decision_kind: decision.kind.clone(),
        reference: decision.reference.clone(),
        action: decision.action.clone(),
        propensity: decision.propensity,
        score: decision.score,
        model_version: decision.policy_version,
    };
    tx.record(decision.version, &event);
}

/// A lead got its score by `decision`. A lead is scored once, so the decision's version orders its scores.
pub fn lead_scored(tx: &mut Tx, lead_id: Uuid, decision: &Decision) {
    let event = LeadScored {
        lead_id,
        score: decision.score,
        decision_id: decision.id.0,
        model_version: decision.policy_version,
    };
    tx.record(decision.version, &event);
}

/// A unified event got its score by `decision`.
pub fn event_scored(tx: &mut Tx, unified_id: Uuid, decision: &Decision) {
    let event = EventScored {
        unified_id,
        score: decision.score,
        decision_id: decision.id.0,
        model_version: decision.policy_version,
    };
    tx.record(decision.version, &event);
}

/// `decision` turned out with `reward`.
pub fn outcome_recorded(tx: &mut Tx, decision: &Decision, reward: f64) {
    let event = OutcomeRecorded {
        decision_id: decision.id.0,
        decision_kind: decision.kind.clone(),
        reference: decision.reference.clone(),
        reward,
        model_version: decision.policy_version,
    };
    tx.record(decision.version, &event);
}

/// A policy decides from now on; `uplift` are the bounds that were known until then.
pub fn policy_promoted(tx: &mut Tx, policy: &PolicyRow, uplift: (f64, f64), automatic: bool) {
    let event = PolicyPromoted {
        decision_kind: policy.kind.clone(),
        model_version: policy.version,
        automatic,
        uplift_lower: uplift.0,
        uplift_upper: uplift.1,
    };
    tx.record(policy.version, &event);
}

/// A policy decides no longer, or by what it knew once.
pub fn policy_rolled_back(tx: &mut Tx, policy: &PolicyRow, automatic: bool) {
    let event = PolicyRolledBack {
        decision_kind: policy.kind.clone(),
        model_version: policy.version,
        serves: policy.pinned,
        automatic,
    };
    tx.record(policy.version, &event);
}
