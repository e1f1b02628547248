//! How an event travels: CloudEvents 1.0 in binary mode. Attributes are headers with the prefix
//! `cloudEvents_`, as the AMQP binding names them; `traceparent` is a header of its own; the body is the data.

use bhiv_events::{Event, dataschema};
use bhiv_telemetry::trace::TRACEPARENT;
use chrono::{DateTime, SecondsFormat};
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

/// The headers of `event`.
pub fn headers(event: &Event) -> Headers {
    let mut headers = Headers::from([
        (SPECVERSION.to_owned(), event.specversion.clone()),
        (ID.to_owned(), event.id.to_string()),
        (SOURCE.to_owned(), event.source.clone()),
        (TYPE.to_owned(), event.type_.clone()),
        (SUBJECT.to_owned(), event.subject.clone()),
        (TIME.to_owned(), event.time.to_rfc3339_opts(SecondsFormat::Micros, true)),
        (DATASCHEMA.to_owned(), event.dataschema.clone()),
        // Compared as text by CloudEvents' sequence extension, hence the zeros.
        (SEQUENCE.to_owned(), format!("{:020}", event.sequence)),
        (CORRELATION.to_owned(), event.correlationid.to_string()),
        (ACTOR.to_owned(), event.actor.clone()),
    ]);
    if let Some(causation) = event.causationid {
        headers.insert(CAUSATION.to_owned(), causation.to_string());
    }
    if let Some(traceparent) = &event.traceparent {
        headers.insert(TRACEPARENT.to_owned(), traceparent.clone());
    }
    headers
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
