use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Hash;

/// An audit row as it is stored, what is sealed in its data still sealed: so the leaf stays what it was when the key of
/// a person is destroyed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of a log entry, which are described there")]
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub event_type: String,
    pub r#type: String,
    pub source: String,
    pub subject: String,
    pub entity: String,
    pub actor: String,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub sequence: i64,
    pub trace_id: Option<String>,
    pub task_id: Option<String>,
    pub user_id: Option<String>,
    pub rl_score: Option<f64>,
    pub consent_flag: Option<bool>,
    pub action: Option<String>,
    pub timestamp: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    pub data: Value,
}

impl Row {
    /// The hash of its leaf: that of its canonical JSON (RFC 8785). Numbers count as the doubles that they are nearest
    /// to, as that form has them.
    ///
    /// # Errors
    /// When it has no canonical form, which no row has that JSON can express.
    pub fn leaf(&self) -> Result<Hash, serde_json::Error> {
        serde_json_canonicalizer::to_vec(self).map(|content| Hash::of_leaf(&content))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_has_one_leaf_however_it_is_written() {
        let text = r#"{"id":"01900000-0000-7000-8000-000000000001","kind":"audit","event_type":"audit_recorded",
            "type":"bhiv.crm.audit.recorded.v1","source":"/bhiv/crm","subject":"audit/1","entity":"lead/1",
            "actor":"user/asha","correlation_id":"01900000-0000-7000-8000-000000000002","causation_id":null,
            "sequence":1,"trace_id":null,"task_id":null,"user_id":"asha","rl_score":null,"consent_flag":null,
            "action":"lead.create","timestamp":"2027-01-15T08:00:00Z","received_at":"2027-01-15T08:00:00.25Z",
            "data":{"b":1.50,"a":[1e2,"é"]}}"#;
        let row: Row = serde_json::from_str(text).unwrap();
        let other = text.replace("08:00:00Z", "13:30:00+05:30").replace("1.50", "1.5").replace("1e2", "100");
        let other: Row = serde_json::from_str(&other).unwrap();
        assert_eq!(row.leaf().unwrap(), other.leaf().unwrap());
        let changed = Row { data: json!({"b": 1.51, "a": [100, "é"]}), ..row.clone() };
        assert_ne!(row.leaf().unwrap(), changed.leaf().unwrap());
    }
}
