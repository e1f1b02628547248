//! Every event that the gateway hears.

mod any_event;
mod unified_outcome;

use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::rl::EventScored;
use bhiv_events::task::WorkflowTriggered;
use bhiv_events::{Contract as _, Producer, catalog};
use bhiv_outbox::{Bindings, Order};

use crate::live::Live;

/// Event -> what the gateway does about it.
pub fn bindings(live: &Live) -> Bindings {
    let outcomes = [EventScored::KIND, ComplianceChecked::KIND, WorkflowTriggered::KIND];
    let everything = catalog().into_iter().map(|entry| entry.kind);
    let public = everything.filter(|kind| kind.name != "audit_recorded");
    Bindings::new(Producer::Core)
        .on_any(
            "core.unified_outcome",
            outcomes.map(|kind| (kind.producer, kind.routing_key)),
            Order::None,
            unified_outcome::NoteTheOutcome,
        )
        .on_all(
            "core.live",
            public.map(|kind| (kind.producer, kind.routing_key)),
            any_event::ShowIt(live.clone()),
        )
}
