use bhiv_events::Event;
use serde_json::Value;

use super::kind::LogKind;
use super::storable;

/// What an event says of itself, found once so that it can be searched for.
///
/// The data may be of any shape: a custom event's, a future version's. What is missing there, or is not of
/// its type, is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub kind: LogKind,
    pub entity: String,
    pub trace_id: Option<String>,
    pub task_id: Option<String>,
    pub user_id: Option<String>,
    pub rl_score: Option<f64>,
    pub consent_flag: Option<bool>,
    pub action: Option<String>,
}

impl Facts {
    /// Those of `event`.
    pub fn of(event: &Event) -> Self {
        let kind = LogKind::of(&event.type_);
        let of_audit = |name| match kind {
            LogKind::Audit => storable::name(event.data.get(name)),
            LogKind::Event => None,
        };
        Self {
            kind,
            entity: of_audit("entity").unwrap_or_else(|| storable::attribute(&event.subject)),
            trace_id: event.traceparent.as_deref().and_then(trace_id),
            task_id: storable::name(event.data.get("task_id")),
            user_id: user_id(event),
            rl_score: rl_score(&event.data),
            consent_flag: event.data.get("consent_flag").and_then(Value::as_bool),
            action: of_audit("action"),
        }
    }
}

/// The user that the event is about, if it names one, else the user who did it.
fn user_id(event: &Event) -> Option<String> {
    match given(&event.data, "user_id") {
        Some(user) => storable::name(Some(user)),
        None => event.actor.strip_prefix("user/").map(storable::attribute),
    }
}

fn rl_score(data: &Value) -> Option<f64> {
    let score = given(data, "rl_score").or_else(|| given(data, "score"))?;
    score.as_f64().filter(|score| (0.0..=1.0).contains(score))
}

fn given<'a>(data: &'a Value, name: &str) -> Option<&'a Value> {
    data.get(name).filter(|value| !value.is_null())
}

/// The trace id within a W3C `traceparent`: `00-<trace id>-<span id>-<flags>`.
fn trace_id(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    let is_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_hex && id.len() == 32 && id.bytes().any(|byte| byte != b'0')).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use bhiv_events::rl::LeadScored;
    use bhiv_events::{AuditRecorded, Contract as _};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn with_data(data: Value) -> Facts {
        let event = Event::around(Uuid::nil(), &LeadScored::sample());
        Facts::of(&Event { data, actor: "user/asha".to_owned(), ..event })
    }

    #[test]
    fn they_are_read_from_the_data() {
        let facts = with_data(
            json!({"task_id": "t-1", "user_id": "ravi", "rl_score": 0.8, "score": 0.1, "consent_flag": false}),
        );
        assert_eq!((facts.task_id.as_deref(), facts.user_id.as_deref()), (Some("t-1"), Some("ravi")));
        assert_eq!((facts.rl_score, facts.consent_flag), (Some(0.8), Some(false)));
        assert_eq!(with_data(json!({"rl_score": null, "score": 1})).rl_score, Some(1.0));
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        let facts = with_data(
            json!({"task_id": 7, "user_id": ["x"], "rl_score": "high", "score": 0.1, "consent_flag": "yes",
                   "action": "lead.create", "entity": "lead/1"}),
        );
        assert_eq!((facts.task_id, facts.user_id), (None, None));
        assert_eq!((facts.rl_score, facts.consent_flag), (None, None));
        assert_eq!((facts.action, facts.entity.starts_with("lead/0190")), (None, true));
        assert_eq!(with_data(json!({"score": 87})).rl_score, None);
        assert_eq!(with_data(json!("text")).user_id.as_deref(), Some("asha"));
    }

    #[test]
    fn an_audit_row_is_about_what_was_changed() {
        let event = Event::around(Uuid::nil(), &AuditRecorded::sample());
        let facts = Facts::of(&event);
        assert_eq!(facts.kind, LogKind::Audit);
        assert_eq!(facts.action.as_deref(), Some("lead.create"));
        assert_eq!(json!(facts.entity), event.data["entity"]);
        let malformed = Facts::of(&Event { data: json!({"entity": 7}), ..event.clone() });
        assert_eq!((malformed.entity, malformed.action), (event.subject, None));
    }

    #[test]
    fn a_service_is_no_user() {
        let event = Event::around(Uuid::nil(), &LeadScored::sample());
        assert_eq!(Facts::of(&Event { actor: "service/rl".to_owned(), ..event }).user_id, None);
    }

    #[test]
    fn a_trace_is_named_only_by_a_well_formed_traceparent() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id(&format!("00-{id}-b7ad6b7169203331-01")).as_deref(), Some(id));
        for malformed in ["", "00", "00-0af7-b7ad-01", &format!("00-{}-b7-01", "0".repeat(32))] {
            assert_eq!(trace_id(malformed), None);
        }
    }
}
