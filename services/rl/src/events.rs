//! What rl tells others: the only place where its events are built.

use bhiv_events::rl::{DecisionMade, EventScored, LeadScored, OutcomeRecorded};
use bhiv_outbox::Tx;
use uuid::Uuid;

use crate::store::decision::Decision;

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

/// `decision` turned out with `reward`, and its policy has `model_version` now.
pub fn outcome_recorded(tx: &mut Tx, decision: &Decision, reward: f64, model_version: i64) {
    let event = OutcomeRecorded {
        decision_id: decision.id.0,
        decision_kind: decision.kind.clone(),
        reference: decision.reference.clone(),
        reward,
        model_version,
    };
    tx.record(decision.version, &event);
}
