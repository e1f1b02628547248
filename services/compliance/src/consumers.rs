//! Every event that compliance hears.

mod any_event;
mod lead_created;
mod person_erased;

use bhiv_events::crm::LeadCreated;
use bhiv_events::{AuditRecorded, Contract as _, PersonErased, Producer, catalog};
use bhiv_outbox::{Bindings, Order};

/// Event -> what compliance does about it. A lead's own consents are known before the lead is judged.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Compliance)
        .remembering("compliance.stories", [(LeadCreated::KIND.producer, LeadCreated::KIND.routing_key)])
        .on("compliance.record_consents", Order::None, lead_created::RecordItsConsents)
        .on_any("compliance.check", judged(), Order::None, any_event::JudgeIt::default())
        .on_any("compliance.erased", answers(), Order::None, person_erased::TakeIt)
}

/// What the other modules say of erasures. Compliance knows its own part from the beginning.
fn answers() -> impl Iterator<Item = (Producer, &'static str)> {
    let others = Producer::ALL.into_iter().filter(|producer| *producer != Producer::Compliance);
    others.map(|producer| (producer, PersonErased::kind(producer).routing_key))
}

/// All that the business does. Audit rows repeat it, and erasures undo it.
fn judged() -> impl Iterator<Item = (Producer, &'static str)> {
    let business = [Producer::Crm, Producer::Logistics, Producer::Task, Producer::Core];
    let kinds = catalog().into_iter().map(|entry| entry.kind);
    kinds
        .filter(move |kind| business.contains(&kind.producer))
        .filter(|kind| {
            ![AuditRecorded::kind(kind.producer), PersonErased::kind(kind.producer)].contains(kind)
        })
        .map(|kind| (kind.producer, kind.routing_key))
}
