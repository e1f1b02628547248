//! Every event that logging hears: all there are.

mod any_event;
mod erasure_requested;

use bhiv_events::Producer;
use bhiv_outbox::{Bindings, Order};

use crate::commands::keep_events::Keeping;

/// Event -> what logging does about it. What asks for an erasure is kept first, so that what it says of the person can
/// no longer be read afterwards.
pub fn bindings(keeping: Keeping) -> Bindings {
    let everything = Producer::ALL.map(|producer| (producer, "#"));
    Bindings::new(Producer::Logging)
        .on_all("logging.store", everything, any_event::KeepTheEvents(keeping))
        .on("logging.erasure", Order::None, erasure_requested::ForgetThem)
}
