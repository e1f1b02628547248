//! Every event that logging hears: all there are.

mod any_event;
mod erasure_requested;

use std::sync::Arc;

use bhiv_events::Producer;
use bhiv_outbox::{Bindings, Order};

use crate::domain::vault::Vault;

/// Event -> what logging does about it. What asks for an erasure is kept first, so that what it says of the person can
/// no longer be read afterwards.
pub fn bindings(vault: Option<Arc<Vault>>) -> Bindings {
    let everything = Producer::ALL.map(|producer| (producer, "#"));
    Bindings::new(Producer::Logging)
        .on_all("logging.store", everything, any_event::KeepTheEvents { vault })
        .on("logging.erasure", Order::None, erasure_requested::ForgetThem)
}
