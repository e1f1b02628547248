//! Every event that the gateway hears.

mod any_event;
mod consent_changed;
mod erasure_requested;
mod module_audit;
mod unified_outcome;

use bhiv_events::compliance::{ComplianceChecked, ConsentGranted, ConsentRevoked, ErasureRequested};
use bhiv_events::rl::EventScored;
use bhiv_events::task::WorkflowTriggered;
use bhiv_events::{AuditRecorded, Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

use crate::changes::{Changes, MODULES};
use crate::consent::Consents;
use crate::domain::event_type;
use crate::live::Live;
use crate::webhooks::Doorbell;

/// Event -> what the gateway does about it.
pub fn bindings(live: &Live, doorbell: &Doorbell, consents: &Consents, changes: &Changes) -> Bindings {
    let outcomes = [EventScored::KIND, ComplianceChecked::KIND, WorkflowTriggered::KIND];
    let consent = [ConsentGranted::KIND, ConsentRevoked::KIND];
    Bindings::new(Producer::Core)
        .on_any(
            "core.unified_outcome",
            outcomes.map(|kind| (kind.producer, kind.routing_key)),
            Order::None,
            unified_outcome::NoteTheOutcome,
        )
        .on_any(
            "core.erase_person",
            [(ErasureRequested::KIND.producer, ErasureRequested::KIND.routing_key)],
            Order::None,
            erasure_requested::ForgetThem(changes.clone()),
        )
        .on_all(
            "core.live",
            event_type::public().map(|kind| (kind.producer, kind.routing_key)),
            any_event::ShowIt { live: live.clone(), doorbell: doorbell.clone(), changes: changes.clone() },
        )
        // Whoever shows events holds a lock that all replicas wait for. What is about somebody whom the same messages have
        // forgotten is not shown.
        .at_the_end()
        // Apart, so that events are not handled one by one for the audit rows between them.
        .on_all("core.answers", audits(), module_audit::ForgetAnswers(changes.clone()))
        .in_lane("answers")
        .on_any(
            "core.consent",
            consent.map(|kind| (kind.producer, kind.routing_key)),
            Order::Latest,
            consent_changed::NoteIt { consents: consents.clone(), changes: changes.clone() },
        )
        .in_lane("consent")
}

/// The audit rows of the modules whose answers are kept.
fn audits() -> impl Iterator<Item = (Producer, &'static str)> {
    MODULES.into_iter().map(|module| (module, AuditRecorded::kind(module).routing_key))
}
