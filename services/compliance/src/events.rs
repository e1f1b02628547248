//! What compliance tells others: the only place where its events are built.

use bhiv_events::compliance::{
    ComplianceChecked, ComplianceViolation, ConsentGranted, ConsentRevoked, DutyOverdue, ErasureAnnounced,
    ErasureCancelled, ErasureCompleted, ErasureRequested, ModuleErasure, Rule,
};
use bhiv_outbox::Tx;

use crate::domain::consent::ConsentState;
use crate::domain::erasure::{Kept, ModuleState, Removed};
use crate::domain::policy::Rules;
use crate::store::check::Check;
use crate::store::consent::ConsentRecord;
use crate::store::duty::Duty;
use crate::store::erasure::Erasure;

/// A person said something to a purpose, or their consent ended. All that they say to it is about one consent, so its version orders
/// these events.
pub fn consent_recorded(tx: &mut Tx, record: &ConsentRecord) {
    let (consent_id, version) = (record.consent_id, record.version);
    let (person, purpose) = (record.subject.clone(), record.purpose.to_string());
    match record.action {
        ConsentState::Granted => {
            let notice_version = record.notice_version.clone();
            tx.record(version, &ConsentGranted { consent_id, person, purpose, notice_version })
        }
        ConsentState::Refused | ConsentState::Withdrawn | ConsentState::Expired => {
            tx.record(version, &ConsentRevoked { consent_id, person, purpose })
        }
    };
}

/// An event was judged.
pub fn compliance_checked(tx: &mut Tx, check: &Check) {
    let event = ComplianceChecked {
        check_id: check.id,
        event_id: check.event_id,
        event_type: check.event_type.clone(),
        entity: check.entity.clone(),
        verdict: check.verdict.to_string(),
        rules: rules(&check.rules),
    };
    tx.record(1, &event);
}

/// An event broke a rule: the second thing that is told of its check.
pub fn compliance_violation(tx: &mut Tx, check: &Check) {
    let event = ComplianceViolation {
        check_id: check.id,
        event_id: check.event_id,
        event_type: check.event_type.clone(),
        entity: check.entity.clone(),
        rules: rules(&check.rules),
    };
    tx.record(2, &event);
}

fn rules(Rules(rules): &Rules) -> Vec<Rule> {
    rules.iter().map(|rule| Rule { id: rule.id.clone(), says: rule.says.clone() }).collect()
}

/// A person is to be told that they will be forgotten.
pub fn erasure_announced(tx: &mut Tx, erasure: &Erasure) {
    let event = ErasureAnnounced {
        erasure_id: erasure.id,
        person: erasure.subject.clone(),
        regime: erasure.regime.to_string(),
        erase_at: erasure.erase_at,
    };
    tx.record(erasure.version, &event);
}

/// Nobody has to be told any more.
pub fn erasure_cancelled(tx: &mut Tx, erasure: &Erasure) {
    let event = ErasureCancelled { erasure_id: erasure.id, person: erasure.subject.clone() };
    tx.record(erasure.version, &event);
}

/// Every module is to forget a person; answers what they are told.
pub fn erasure_requested(tx: &mut Tx, erasure: &Erasure) -> ErasureRequested {
    let (person, also) = (erasure.subject.clone(), erasure.also.0.clone());
    let request = ErasureRequested { erasure_id: erasure.id, person, also };
    tx.record(erasure.version, &request);
    request
}

/// Every module has.
pub fn erasure_completed(tx: &mut Tx, erasure: &Erasure, modules: Vec<ModuleState>) {
    let told = modules.into_iter().map(|state| ModuleErasure {
        module: state.module,
        removed: state.removed.0.into_iter().map(told_removed).collect(),
        kept: state.kept.0.into_iter().map(told_kept).collect(),
    });
    let modules = told.collect();
    let person = erasure.subject.clone();
    tx.record(erasure.version, &ErasureCompleted { erasure_id: erasure.id, person, modules });
}

fn told_removed(Removed { what, count }: Removed) -> bhiv_events::Removed {
    bhiv_events::Removed { what, count }
}

fn told_kept(Kept { what, count, why }: Kept) -> bhiv_events::Kept {
    bhiv_events::Kept { what, count, why }
}

/// From the contract.
pub fn heard_removed(heard: bhiv_events::Removed) -> Removed {
    Removed { what: heard.what, count: heard.count }
}

/// From the contract.
pub fn heard_kept(heard: bhiv_events::Kept) -> Kept {
    Kept { what: heard.what, count: heard.count, why: heard.why }
}

/// What the law wanted done is late.
pub fn duty_overdue(tx: &mut Tx, duty: &Duty) {
    let event = DutyOverdue {
        duty_id: duty.id,
        duty: duty.kind.to_string(),
        regime: duty.regime.to_string(),
        received_at: duty.received_at,
        due_at: duty.due_at,
    };
    tx.record(duty.version, &event);
}
