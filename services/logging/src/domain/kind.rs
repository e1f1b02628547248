use bhiv_events::{AuditRecorded, Producer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an entry is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LogKind {
    /// Something happened.
    Event,
    /// Somebody changed something.
    Audit,
}

impl LogKind {
    /// Each.
    pub const ALL: [Self; 2] = [Self::Event, Self::Audit];

    /// The kind of entry that an event of this CloudEvents type makes.
    pub fn of(type_: &str) -> Self {
        let is_audit = Producer::ALL.iter().any(|producer| AuditRecorded::kind(*producer).type_ == type_);
        if is_audit { Self::Audit } else { Self::Event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_producer_has_its_audit_rows() {
        assert_eq!(LogKind::of("bhiv.crm.audit.recorded.v1"), LogKind::Audit);
        assert_eq!(LogKind::of("bhiv.core.audit.recorded.v1"), LogKind::Audit);
        assert_eq!(LogKind::of("bhiv.crm.lead.created.v1"), LogKind::Event);
        assert_eq!(LogKind::of("com.example.audit.recorded.v1"), LogKind::Event);
    }
}
