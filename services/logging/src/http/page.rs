use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bhiv_web::Limit;
use chrono::{DateTime, Datelike as _};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::store::entry::{COUNTED, LogEntry, Place};

/// A part of a list of entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogPage {
    /// The entries, the newest first.
    logs: Vec<LogEntry>,
    /// How many entries the whole list has, up to 1,000.
    count: i64,
    /// Whether there are no more than that.
    count_is_exact: bool,
    /// Where the next part begins; null at the end.
    next_cursor: Option<LogCursor>,
}

impl LogPage {
    /// `logs` were read with [`Limit::and_one`]: the one too many says that there is more.
    pub fn new(mut logs: Vec<LogEntry>, limit: Limit, count: i64) -> Self {
        let limit = usize::try_from(limit.and_one() - 1).unwrap_or_default();
        let has_more = logs.len() > limit;
        logs.truncate(limit);
        let last = logs.last().filter(|_| has_more);
        let next_cursor = last.map(|entry| LogCursor((entry.timestamp, entry.id)));
        let count_is_exact = count <= COUNTED;
        Self { logs, count: count.min(COUNTED), count_is_exact, next_cursor }
    }
}

/// A place in a list of entries, which is ordered by time first: an event may be heard long after a younger
/// one. Opaque to clients: microseconds since 1970 and id, 24 bytes in Base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogCursor(Place);

impl LogCursor {
    /// The place that a part begins after.
    pub fn place(cursor: Option<Self>) -> Option<Place> {
        cursor.map(|Self(place)| place)
    }

    fn read(text: &str) -> Option<Self> {
        let bytes: [u8; 24] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (micros, id) = bytes.split_first_chunk()?;
        let timestamp = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
        // Times that no event has: the database could not even compare with some of them.
        let is_sound = (0..=9999).contains(&timestamp.year());
        let id = Uuid::from_slice(id).ok()?;
        is_sound.then(|| Self((timestamp, id.into())))
    }
}

impl From<LogCursor> for String {
    fn from(LogCursor((timestamp, id)): LogCursor) -> Self {
        let micros = timestamp.timestamp_micros().to_be_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([micros.as_slice(), id.0.as_bytes()].concat())
    }
}

impl TryFrom<String> for LogCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("is no cursor of this list")
    }
}

impl ToSchema for LogCursor {}

impl PartialSchema for LogCursor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A place in a list, as `next_cursor` of the part before it."))
            .pattern(Some("^[A-Za-z0-9_-]{32}$"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(micros: i64) -> LogCursor {
        let timestamp = DateTime::from_timestamp_micros(micros).unwrap();
        LogCursor((timestamp, Uuid::from_u128(7).into()))
    }

    #[test]
    fn a_cursor_survives_its_text() {
        for micros in [-1, 0, 1_800_000_000_123_456] {
            assert_eq!(LogCursor::try_from(String::from(cursor(micros))), Ok(cursor(micros)));
        }
    }

    #[test]
    fn what_is_no_place_of_a_list_is_no_cursor() {
        let good = String::from(cursor(0));
        let texts = [String::new(), good[1..].to_owned(), format!("{good}A"), format!("!{}", &good[1..])];
        let of_times = [i64::MIN, i64::MAX, -100_000_000_000_000_000].map(|micros| {
            BASE64_URL_SAFE_NO_PAD.encode([micros.to_be_bytes().as_slice(), &[0; 16]].concat())
        });
        for text in texts.into_iter().chain(of_times) {
            assert!(LogCursor::try_from(text.clone()).is_err(), "{text}");
        }
    }
}
