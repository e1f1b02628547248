use bhiv_events::{AuditRecorded, ConsentApplied, Entry, PersonErased, Producer, catalog};

/// The kinds of event that are judged: all that the business does. Audit rows repeat it, erasures undo it,
/// and what modules say of consents is about them.
pub fn judged() -> impl Iterator<Item = Entry> {
    const BUSINESS: [Producer; 4] = [Producer::Crm, Producer::Logistics, Producer::Task, Producer::Core];
    catalog().into_iter().filter(|entry| {
        let kind = entry.kind;
        let beside =
            [AuditRecorded::kind, PersonErased::kind, ConsentApplied::kind].map(|of| of(kind.producer));
        BUSINESS.contains(&kind.producer) && !beside.contains(&kind)
    })
}
