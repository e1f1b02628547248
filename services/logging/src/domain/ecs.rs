//! Entries in the words of the Elastic Common Schema (ECS 8).

use bhiv_ledger::Row;
use serde_json::{Value, json};

use super::personal;

/// The version of the schema.
const ECS: &str = "8.17.0";

/// The document of an entry, and the index that it belongs to: one a month.
///
/// What is personal is left out: an erasure would not reach it there.
pub fn document(row: &Row, prefix: &str) -> (String, Value) {
    let mut data = row.data.clone();
    personal::seal(&row.entity, &mut data, &mut |_| None);
    personal::open(&mut data, &|_| None);
    let service = row.source.rsplit('/').next().unwrap_or_default();
    let action = row.action.as_deref().unwrap_or(&row.event_type);
    let document = json!({
        "@timestamp": row.timestamp,
        "ecs": {"version": ECS},
        "message": format!("{action} {} by {}", row.entity, row.actor),
        "event": {
            "id": row.id, "kind": "event", "module": "bhiv", "dataset": format!("bhiv.{}", row.kind),
            "action": action, "code": row.r#type, "ingested": row.received_at, "sequence": row.sequence,
            // As text: data of any shape would make a field of each of its own.
            "original": data.to_string(),
        },
        "service": {"name": service},
        "user": {"id": row.user_id},
        "trace": {"id": row.trace_id},
        "bhiv": {
            "kind": row.kind, "event_type": row.event_type, "subject": row.subject, "entity": row.entity,
            "actor": row.actor, "correlation_id": row.correlation_id, "causation_id": row.causation_id,
            "task_id": row.task_id, "rl_score": row.rl_score, "consent_flag": row.consent_flag,
        },
    });
    (format!("{prefix}-{}", row.timestamp.format("%Y.%m")), document)
}
