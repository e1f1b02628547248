use schemars::Schema;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    AuditRecorded, ConsentApplied, Contract, Event, Kind, PersonErased, Producer, compliance, core, crm,
    logistics, rl, task,
};

/// One kind of event with its schema and its sample.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its names.
    pub kind: Kind,
    /// JSON Schema (2020-12) of its data.
    pub schema: fn() -> Schema,
    /// A canned event, with the id given.
    pub sample: fn(Uuid) -> Event,
    /// An event with other data, if they have the contract's shape.
    pub with_data: fn(Uuid, Value) -> serde_json::Result<Event>,
}

impl Entry {
    fn of<C: Contract>() -> Self {
        Self {
            kind: C::KIND,
            schema: || schemars::schema_for!(C),
            sample: |id| Event::around(id, &C::sample()),
            with_data: |id, data| Ok(Event::around(id, &serde_json::from_value::<C>(data)?)),
        }
    }

    /// The canned data alone.
    pub fn sample_data(&self) -> Value {
        (self.sample)(Uuid::nil()).data
    }
}

/// Whether this is a public name of the catalogue, however it is written: nobody else may call an event so.
pub fn is_reserved(name: &str) -> bool {
    catalog().iter().any(|entry| entry.kind.name.eq_ignore_ascii_case(name))
}

/// What every producer emits on its own exchange: an entry for each.
macro_rules! entries_of {
    ($contract:ident, $($producer:ident)*) => {
        [$(Entry {
            kind: $contract::kind(Producer::$producer),
            sample: |id| as_of(Producer::$producer, $contract::kind(Producer::$producer), id, &$contract::sample()),
            ..Entry::of::<$contract>()
        }),*]
    };
}

/// Every kind of event there is, by producer, in the order in which a story meets them.
pub fn catalog() -> Vec<Entry> {
    let mut entries = vec![
        Entry::of::<crm::LeadCreated>(),
        Entry::of::<crm::LeadUpdated>(),
        Entry::of::<crm::LeadConverted>(),
        Entry::of::<crm::LeadMerged>(),
        Entry::of::<crm::OpportunityCreated>(),
        Entry::of::<crm::OpportunityStageChanged>(),
        Entry::of::<crm::OpportunityWon>(),
        Entry::of::<crm::OpportunityLost>(),
        Entry::of::<crm::AccountChanged>(),
        Entry::of::<logistics::OrderCreated>(),
        Entry::of::<logistics::OrderStatusChanged>(),
        Entry::of::<logistics::InventoryLow>(),
        Entry::of::<logistics::DeliveryScheduled>(),
        Entry::of::<logistics::DeliveryDispatched>(),
        Entry::of::<logistics::DeliveryDelayed>(),
        Entry::of::<logistics::DeliveryCompleted>(),
        Entry::of::<logistics::DeliveryFailed>(),
        Entry::of::<task::TaskCreated>(),
        Entry::of::<task::TaskCompleted>(),
        Entry::of::<task::TaskEscalated>(),
        Entry::of::<task::TaskOverdue>(),
        Entry::of::<task::TaskSlaBreached>(),
        Entry::of::<task::TaskReviewed>(),
        Entry::of::<task::FeedbackReceived>(),
        Entry::of::<task::WorkflowTriggered>(),
        Entry::of::<task::WorkflowPublished>(),
        Entry::of::<task::ApprovalRequested>(),
        Entry::of::<task::ApprovalDecided>(),
        Entry::of::<compliance::ConsentGranted>(),
        Entry::of::<compliance::ConsentRevoked>(),
        Entry::of::<compliance::ComplianceChecked>(),
        Entry::of::<compliance::ComplianceViolation>(),
        Entry::of::<compliance::ErasureAnnounced>(),
        Entry::of::<compliance::ErasureCancelled>(),
        Entry::of::<compliance::ErasureRequested>(),
        Entry::of::<compliance::ErasureCompleted>(),
        Entry::of::<compliance::DutyOverdue>(),
        Entry::of::<rl::LeadScored>(),
        Entry::of::<rl::EventScored>(),
        Entry::of::<rl::DecisionMade>(),
        Entry::of::<rl::OutcomeRecorded>(),
        Entry::of::<rl::PolicyPromoted>(),
        Entry::of::<rl::PolicyRolledBack>(),
        Entry::of::<core::UnifiedReceived>(),
        Entry::of::<core::CustomPublished>(),
        Entry::of::<core::AccessDenied>(),
        Entry::of::<core::UserChanged>(),
    ];
    entries.extend(entries_of!(AuditRecorded, Crm Logistics Task Compliance Rl Logging Core));
    entries.extend(entries_of!(PersonErased, Crm Logistics Task Compliance Rl Logging Core));
    entries.extend(entries_of!(ConsentApplied, Core Rl));
    entries
}

fn as_of<C: Contract>(producer: Producer, kind: Kind, id: Uuid, data: &C) -> Event {
    Event {
        source: producer.source().to_owned(),
        type_: kind.type_.to_owned(),
        dataschema: crate::dataschema(kind.type_),
        ..Event::around(id, data)
    }
}

/// The entry of a CloudEvents type, for example `bhiv.crm.lead.created.v1`.
pub fn find(type_: &str) -> Option<Entry> {
    catalog().into_iter().find(|entry| entry.kind.type_ == type_)
}

/// The entries of a public name, for example `lead_created`; several when it has several versions or
/// producers.
pub fn find_named(name: &str) -> Vec<Entry> {
    catalog().into_iter().filter(|entry| entry.kind.name == name).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn types_are_unique_and_names_follow_from_them() {
        let mut seen = BTreeSet::new();
        for Entry { kind, sample, .. } in catalog() {
            assert!(seen.insert(kind.type_), "{} stands twice", kind.type_);
            assert_eq!(kind.type_, format!("bhiv.{}", kind.routing_key));
            assert!(
                kind.routing_key.starts_with(&format!("{}.", kind.producer.prefix())),
                "{}",
                kind.routing_key
            );
            assert_eq!(sample(Uuid::nil()).name(), kind.name);
        }
    }

    #[test]
    fn every_sample_survives_the_wire() {
        for entry in catalog() {
            let event = (entry.sample)(Uuid::nil());
            let wire = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&wire).unwrap(), event, "{}", entry.kind.name);
        }
    }

    #[test]
    fn a_public_name_finds_its_event() {
        assert_eq!(find_named("lead_created").len(), 1);
        assert_eq!(find_named("audit_recorded").len(), Producer::ALL.len());
        assert_eq!(find_named("person_erased").len(), Producer::ALL.len());
        assert!(find("bhiv.crm.lead.created.v9").is_none());
    }
}
