//! What compliance tells others: the only place where its events are built.

use bhiv_events::compliance::{ComplianceChecked, ComplianceViolation, ConsentGranted, ConsentRevoked, Rule};
use bhiv_outbox::Tx;

use crate::domain::consent::ConsentState;
use crate::domain::policy::Rules;
use crate::store::check::Check;
use crate::store::consent::ConsentRecord;

/// A person said something to a purpose. All that they say to it is about one consent, so its version orders
/// these events.
pub fn consent_recorded(tx: &mut Tx, record: &ConsentRecord) {
    let (consent_id, version) = (record.consent_id, record.version);
    let (person, purpose) = (record.subject.clone(), record.purpose.to_string());
    match record.action {
        ConsentState::Granted => {
            let notice_version = record.notice_version.clone();
            tx.record(version, &ConsentGranted { consent_id, person, purpose, notice_version })
        }
        ConsentState::Refused | ConsentState::Withdrawn => {
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
