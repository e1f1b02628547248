//! Every event that task hears.

mod any_event;
mod erasure_requested;

use bhiv_events::logistics::OrderCreated;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

use crate::domain::trigger;

/// Event -> what task does about it.
pub fn bindings() -> Bindings {
    let triggers = trigger::kinds().map(|kind| (kind.producer, kind.routing_key));
    Bindings::new(Producer::Task)
        .remembering("task.stories", [(Producer::Logistics, OrderCreated::KIND.routing_key)])
        .on_any("task.workflows", triggers, Order::None, any_event::RunTheWorkflows)
        .on("task.erase_person", Order::None, erasure_requested::ForgetThem)
}
