//! Which events can trigger a workflow: those that the engine hears.

use bhiv_events::{Kind, Producer, catalog};

/// Whose events the engine hears. Not those of task itself: a workflow that causes its own trigger would never
/// end.
const PRODUCERS: [Producer; 5] =
    [Producer::Crm, Producer::Logistics, Producer::Compliance, Producer::Rl, Producer::Core];

/// Audit rows repeat what other events say. What is told of people who are to be forgotten is not kept for workflows to
/// be tried on; that it was done, `erasure_completed` says. What several modules say of one consent, it says itself.
const NO_TRIGGERS: [&str; 4] = ["audit_recorded", "consent_applied", "erasure_requested", "person_erased"];

/// Every kind of event that can trigger a workflow.
pub fn kinds() -> impl Iterator<Item = Kind> {
    catalog()
        .into_iter()
        .map(|entry| entry.kind)
        .filter(|kind| PRODUCERS.contains(&kind.producer) && !NO_TRIGGERS.contains(&kind.name))
}

/// Nothing that the engine hears has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no workflow can be triggered by '{name}'")]
pub struct UnknownTrigger {
    /// The name.
    pub name: String,
    /// The names that there are.
    pub known: Vec<&'static str>,
}

/// Checks that `name` can trigger a workflow.
///
/// # Errors
/// When it cannot; the error lists what can.
pub fn check(name: &str) -> Result<(), UnknownTrigger> {
    let known: Vec<_> = kinds().map(|kind| kind.name).collect();
    if known.contains(&name) { Ok(()) } else { Err(UnknownTrigger { name: name.to_owned(), known }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_task_tells_triggers_nothing() {
        assert_eq!(check("lead_created"), Ok(()));
        assert_eq!(check("unified_received"), Ok(()));
        for name in [
            "task_created",
            "workflow_triggered",
            "audit_recorded",
            "consent_applied",
            "erasure_requested",
            "person_erased",
            "lead.created",
            "",
        ] {
            let refused = check(name).unwrap_err();
            assert!(refused.known.contains(&"delivery_delayed") && !refused.known.contains(&name));
        }
    }
}
