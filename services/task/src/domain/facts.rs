use bhiv_events::Event;
use serde::Serialize;
use serde_json::{Value, json};

/// What a condition and a template know: the event that triggered the workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// What every event has: `id`, `type`, `name`, `subject`, `sequence`, `actor`, `time`, `correlationid`.
    pub event: Value,
    /// What this kind of event has.
    pub data: Value,
}

impl From<&Event> for Facts {
    fn from(event: &Event) -> Self {
        Self {
            event: json!({
                "id": event.id,
                "type": event.type_,
                "name": event.name(),
                "subject": event.subject,
                "sequence": event.sequence,
                "actor": event.actor,
                "time": event.time,
                "correlationid": event.correlationid,
            }),
            data: event.data.clone(),
        }
    }
}
