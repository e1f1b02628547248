use std::collections::BTreeSet;
use std::sync::OnceLock;

use actix_web::web::Bytes;
use bhiv_auth::Caller;
use bytestring::ByteString;
use serde_json::json;
use uuid::Uuid;

use crate::domain::event_type::EventType;
use crate::store::live_event::LiveEvent;
use crate::visible::Visible;

/// An event as streams show it. Its forms are made once, however many streams show it.
#[derive(Debug)]
pub struct Shown {
    live: LiveEvent,
    name: String,
    sse: OnceLock<Bytes>,
    frame: OnceLock<ByteString>,
}

impl Shown {
    /// Its place.
    pub fn seq(&self) -> i64 {
        self.live.seq
    }

    /// As a server-sent event.
    pub fn sse(&self) -> Bytes {
        let make = || format!("id: {}\nevent: {}\ndata: {}\n\n", self.live.seq, self.name, self.live.event);
        self.sse.get_or_init(|| make().into()).clone()
    }

    /// As the text of a WebSocket frame.
    pub fn frame(&self) -> ByteString {
        let make = || json!({"id": self.live.seq, "event": self.name, "data": self.live.event}).to_string();
        self.frame.get_or_init(|| make().into()).clone()
    }
}

impl From<LiveEvent> for Shown {
    fn from(live: LiveEvent) -> Self {
        let type_ = live.event.get("type").and_then(|type_| type_.as_str());
        let name = type_.and_then(bhiv_events::public_name).unwrap_or_default();
        Self { live, name, sse: OnceLock::new(), frame: OnceLock::new() }
    }
}

/// What a reader asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Events of these kinds; of every kind without it.
    pub types: Option<BTreeSet<EventType>>,
    /// Events of this causal story.
    pub correlation_id: Option<Uuid>,
}

impl Wanted {
    /// Whether `caller`, who asked for this, gets to see `shown`.
    pub fn shows(&self, shown: &Shown, caller: &Caller, visible: &Visible) -> bool {
        let Shown { live, name, .. } = shown;
        let is_of_story = |id: Uuid| {
            let story = live.event.get("correlationid").and_then(|id| id.as_str());
            story.and_then(|story| Uuid::try_parse(story).ok()) == Some(id)
        };
        self.types.as_ref().is_none_or(|types| types.iter().any(|wanted| wanted.name() == name))
            && self.correlation_id.is_none_or(is_of_story)
            && visible.may_see(caller, &live.module, &live.event)
    }
}
