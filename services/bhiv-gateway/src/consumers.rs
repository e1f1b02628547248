//! Every event that the gateway hears.

mod any_event;
mod unified_outcome;

use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::rl::EventScored;
use bhiv_events::task::WorkflowTriggered;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

use crate::domain::event_type;
use crate::live::Live;
use crate::webhooks::Doorbell;

/// Event -> what the gateway does about it.
pub fn bindings(live: &Live, doorbell: &Doorbell) -> Bindings {
    let outcomes = [EventScored::KIND, ComplianceChecked::KIND, WorkflowTriggered::KIND];
    Bindings::new(Producer::Core)
        .on_any(
            "core.unified_outcome",
            outcomes.map(|kind| (kind.producer, kind.routing_key)),
            Order::None,
            unified_outcome::NoteTheOutcome,
        )
        .on_all(
            "core.live",
            event_type::public().map(|kind| (kind.producer, kind.routing_key)),
            any_event::ShowIt { live: live.clone(), doorbell: doorbell.clone() },
        )
}
