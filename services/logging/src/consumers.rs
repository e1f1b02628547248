//! Every event that logging hears: all there are.

mod any_event;

use bhiv_events::Producer;
use bhiv_outbox::Bindings;

/// Event -> what logging does about it.
pub fn bindings() -> Bindings {
    let everything = Producer::ALL.map(|producer| (producer, "#"));
    Bindings::new(Producer::Logging).on_all("logging.store", everything, any_event::KeepTheEvents)
}
