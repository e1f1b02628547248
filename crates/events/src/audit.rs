use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Contract, Kind, Producer, of_each};

/// A change that was accepted: written in the same transaction as the change itself.
///
/// Every producer emits it on its own exchange, and logging keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecorded {
    /// Id of the audit row.
    pub audit_id: Uuid,
    /// What was done, for example `lead.create`.
    pub action: String,
    /// What it was done to, for example `lead/0190...`.
    pub entity: String,
    /// The HTTP request that asked for it, if one did.
    pub request_id: Option<String>,
    /// The record before, absent when it was created.
    pub before: Option<Value>,
    /// The record after, absent when it was removed.
    pub after: Option<Value>,
}

impl AuditRecorded {
    /// Its names on the exchange of `producer`.
    pub const fn kind(producer: Producer) -> Kind {
        of_each!(producer, "audit" "recorded" "v1")
    }
}

/// As the contract of one of the producers; the others differ in their names only.
impl Contract for AuditRecorded {
    const KIND: Kind = Self::kind(Producer::Crm);

    fn subject(&self) -> String {
        format!("audit/{}", self.audit_id)
    }

    fn sample() -> Self {
        Self {
            audit_id: crate::sample::EVENT,
            action: "lead.create".to_owned(),
            entity: format!("lead/{}", crate::sample::LEAD),
            request_id: Some("3c9f".to_owned()),
            before: None,
            after: Some(serde_json::json!({"status": "new"})),
        }
    }
}
