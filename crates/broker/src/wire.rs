//! How an event travels: CloudEvents 1.0 in binary mode. Attributes are headers with the prefix
//! `cloudEvents_`, as the AMQP binding names them; `traceparent` is a header of its own; the body is the data.

use bhiv_events::{Event, dataschema};
use bhiv_telemetry::trace::TRACEPARENT;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::Headers;

/// Largest body that is sent, in bytes.
pub const MAX_BODY: usize = 262_144;

pub(crate) const TYPE: &str = "cloudEvents_type";
const SPECVERSION: &str = "cloudEvents_specversion";
const ID: &str = "cloudEvents_id";
const SOURCE: &str = "cloudEvents_source";
const SUBJECT: &str = "cloudEvents_subject";
const TIME: &str = "cloudEvents_time";
const DATASCHEMA: &str = "cloudEvents_dataschema";
const SEQUENCE: &str = "cloudEvents_sequence";
const CORRELATION: &str = "cloudEvents_correlationid";
const CAUSATION: &str = "cloudEvents_causationid";
const ACTOR: &str = "cloudEvents_actor";

/// Why a message is not an event of this system. It never will be: trying again is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// An attribute is missing.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// An attribute cannot be read.
    #[error("header {0} cannot be read: '{1}'")]
    Unreadable(&'static str, String),
    /// The body is not JSON.
    #[error("the body is not JSON: {0}")]
    Body(String),
}

/// The attributes of an event, without its data. Serialised, they are the headers of its message.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Attributes<'a> {
    /// Always `1.0`.
    #[serde(rename = "cloudEvents_specversion")]
    pub specversion: &'a str,
    /// See [`Event::id`].
    #[serde(rename = "cloudEvents_id")]
    pub id: Uuid,
    /// See [`Event::source`].
    #[serde(rename = "cloudEvents_source")]
    pub source: &'a str,
    /// See [`Event::type_`].
    #[serde(rename = "cloudEvents_type")]
    pub type_: &'a str,
    /// See [`Event::subject`].
    #[serde(rename = "cloudEvents_subject")]
    pub subject: &'a str,
    /// See [`Event::time`].
    #[serde(rename = "cloudEvents_time", serialize_with = "to_the_microsecond")]
    pub time: DateTime<Utc>,
    /// See [`Event::dataschema`].
    #[serde(rename = "cloudEvents_dataschema")]
    pub dataschema: &'a str,
    /// See [`Event::sequence`].
    #[serde(rename = "cloudEvents_sequence", serialize_with = "in_twenty_digits")]
    pub sequence: i64,
    /// See [`Event::correlationid`].
    #[serde(rename = "cloudEvents_correlationid")]
    pub correlationid: Uuid,
    /// See [`Event::causationid`].
    #[serde(rename = "cloudEvents_causationid", skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Uuid>,
    /// See [`Event::actor`].
    #[serde(rename = "cloudEvents_actor")]
    pub actor: &'a str,
    /// See [`Event::traceparent`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
}

fn to_the_microsecond<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// Compared as text by CloudEvents' sequence extension, hence the zeros.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn in_twenty_digits<S: Serializer>(sequence: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{sequence:020}"))
}

impl<'a> From<&'a Event> for Attributes<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            specversion: &event.specversion,
            id: event.id,
            source: &event.source,
            type_: &event.type_,
            subject: &event.subject,
            time: event.time,
            dataschema: &event.dataschema,
            sequence: event.sequence,
            correlationid: event.correlationid,
            causationid: event.causationid,
            actor: &event.actor,
            traceparent: event.traceparent.as_deref(),
        }
    }
}

/// The headers of `event`.
pub fn headers(event: &Event) -> Headers {
    text_headers(serde_json::to_value(Attributes::from(event)).unwrap_or_default())
}

/// The headers that a JSON object lists; what is no text is left out.
pub fn text_headers(json: Value) -> Headers {
    let Value::Object(map) = json else { return Headers::new() };
    let text = |(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    };
    map.into_iter().filter_map(text).collect()
}

/// The event that a message carries.
///
/// # Errors
/// When an attribute is missing or malformed, or the body is not JSON.
pub fn read(headers: &Headers, body: &[u8]) -> Result<Event, Malformed> {
    let text = |name: &'static str| headers.get(name).ok_or(Malformed::Missing(name));
    let unreadable = |name: &'static str, value: &String| Malformed::Unreadable(name, value.clone());
    let uuid = |name: &'static str| {
        let value = text(name)?;
        Uuid::parse_str(value).map_err(|_| unreadable(name, value))
    };

    let specversion = text(SPECVERSION)?;
    if specversion != "1.0" {
        return Err(unreadable(SPECVERSION, specversion));
    }
    let type_ = text(TYPE)?;
    let time = text(TIME)?;
    let sequence = text(SEQUENCE)?;
    Ok(Event {
        specversion: specversion.clone(),
        id: uuid(ID)?,
        source: text(SOURCE)?.clone(),
        type_: type_.clone(),
        subject: text(SUBJECT)?.clone(),
        time: DateTime::parse_from_rfc3339(time).map_err(|_| unreadable(TIME, time))?.to_utc(),
        dataschema: headers.get(DATASCHEMA).cloned().unwrap_or_else(|| dataschema(type_)),
        datacontenttype: "application/json".to_owned(),
        correlationid: uuid(CORRELATION)?,
        causationid: headers.contains_key(CAUSATION).then(|| uuid(CAUSATION)).transpose()?,
        sequence: sequence.parse().map_err(|_| unreadable(SEQUENCE, sequence))?,
        actor: text(ACTOR)?.clone(),
        traceparent: headers.get(TRACEPARENT).cloned(),
        data: serde_json::from_slice(body).map_err(|error| Malformed::Body(error.to_string()))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_survives_the_wire() {
        for entry in bhiv_events::catalog() {
            let mut event = (entry.sample)(Uuid::from_u128(7));
            event.causationid = Some(Uuid::from_u128(8));
            event.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
            let body = serde_json::to_vec(&event.data).unwrap();
            assert_eq!(read(&headers(&event), &body), Ok(event));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let event = (bhiv_events::catalog()[0].sample)(Uuid::nil());
        let good = headers(&event);
        for required in [SPECVERSION, ID, SOURCE, TYPE, SUBJECT, TIME, SEQUENCE, CORRELATION, ACTOR] {
            let mut lacking = good.clone();
            lacking.remove(required);
            assert_eq!(read(&lacking, b"{}"), Err(Malformed::Missing(required)));
        }
        for (name, value) in [(SPECVERSION, "0.3"), (ID, "42"), (TIME, "today"), (SEQUENCE, "first")] {
            let mut wrong = good.clone();
            wrong.insert(name.to_owned(), value.to_owned());
            assert_eq!(read(&wrong, b"{}"), Err(Malformed::Unreadable(name, value.to_owned())));
        }
        assert!(matches!(read(&good, b"{"), Err(Malformed::Body(_))));
    }
}
