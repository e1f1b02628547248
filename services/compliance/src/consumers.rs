//! Every event that compliance hears.

mod any_event;
mod consent_applied;
mod lead_created;
mod person_erased;

use bhiv_events::crm::LeadCreated;
use bhiv_events::{ConsentApplied, Contract as _, PersonErased, Producer};
use bhiv_outbox::{Bindings, Order};

use crate::domain::judged::judged;

/// Event -> what compliance does about it. A lead's own consents are known before the lead is judged.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Compliance)
        .remembering("compliance.stories", [(LeadCreated::KIND.producer, LeadCreated::KIND.routing_key)])
        .on("compliance.record_consents", Order::None, lead_created::RecordItsConsents)
        .on_any("compliance.check", judged_keys(), Order::None, any_event::JudgeIt::default())
        .on_any("compliance.erased", answers(), Order::None, person_erased::TakeIt)
        .on_any("compliance.applied", applications(), Order::None, consent_applied::NoteIt)
}

/// Who acts by consents tells of it.
fn applications() -> impl Iterator<Item = (Producer, &'static str)> {
    ConsentApplied::PRODUCERS
        .into_iter()
        .map(|producer| (producer, ConsentApplied::kind(producer).routing_key))
}

/// What the other modules say of erasures. Compliance knows its own part from the beginning.
fn answers() -> impl Iterator<Item = (Producer, &'static str)> {
    let others = Producer::ALL.into_iter().filter(|producer| *producer != Producer::Compliance);
    others.map(|producer| (producer, PersonErased::kind(producer).routing_key))
}

fn judged_keys() -> impl Iterator<Item = (Producer, &'static str)> {
    judged().map(|entry| (entry.kind.producer, entry.kind.routing_key))
}
