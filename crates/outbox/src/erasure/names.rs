//! Who was forgotten, and whether an event is about them.

use bhiv_db::{Conn, DieselError, statement};
use bhiv_events::{Event, PersonErased, Producer, compliance};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Bool, Integer, Text, Timestamptz};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

/// How long after an erasure events are made that are still about the person of before: other modules take their time.
pub(super) const LATE: TimeDelta = TimeDelta::days(1);

/// Texts of an event that are looked at, at most.
const MOST: usize = 1_000;

/// A longer text is no name.
const LONGEST: usize = 320;

/// Held by an erasure until it ends.
pub(super) async fn lock(conn: &mut Conn) -> Result<(), DieselError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.erasure', 0))")
        .execute(conn)
        .await
        .map(drop)
}

/// Held by whoever makes records of people, until they end. A statement of its own, so that the next one sees what
/// was committed before it.
pub(super) async fn lock_shared(conn: &mut Conn) -> Result<(), DieselError> {
    LockShared::new().execute(conn).await.map(drop)
}

statement! {
    struct LockShared<'a> {} -> ();
    "SELECT pg_advisory_xact_lock_shared(hashtextextended(current_schema() || '.erasure', 0))"
}

pub(super) async fn remember(
    conn: &mut Conn,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<(), DieselError> {
    diesel::sql_query(
        "INSERT INTO erased (name, erased_at)
         SELECT DISTINCT sha256(convert_to(lower(name), 'UTF8')), $2 FROM unnest($1) AS name ORDER BY 1
         ON CONFLICT (name) DO UPDATE SET erased_at = excluded.erased_at",
    )
    .bind::<Array<Text>, _>(names)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await
    .map(drop)
}

/// Whether the name was forgotten, at any time.
pub(super) async fn is_erased(conn: &mut Conn, name: &str) -> Result<bool, DieselError> {
    IsErased::new(name).get_result(conn).await
}

statement! {
    struct IsErased<'a> { name: &'a str } -> (Bool);
    "SELECT EXISTS (SELECT FROM erased WHERE name = sha256(convert_to(lower(btrim(" [name: Text] ")), 'UTF8')))"
}

/// Whether each event names somebody who was forgotten; a name that is no record's id counts for some time only.
pub(super) async fn erased_among(conn: &mut Conn, events: &[&Event]) -> Result<Vec<bool>, DieselError> {
    let (mut names, mut places, mut since) = (Vec::new(), Vec::new(), Vec::new());
    for (place, event) in (0_i32..).zip(events) {
        for name in mentioned(event) {
            names.push(name);
            places.push(place);
            since.push(event.time - LATE);
        }
    }
    let found: Vec<i32> = Among::new(&names, &places, &since).load(conn).await?;
    Ok((0_i32..).zip(events).map(|(place, _)| found.contains(&place)).collect())
}

statement! {
    struct Among<'a> { names: &'a [String], places: &'a [i32], since: &'a [DateTime<Utc>] } -> (Integer);
    "SELECT DISTINCT wanted.place
     FROM unnest(" [names: Array<Text>] ", " [places: Array<Integer>] ", " [since: Array<Timestamptz>]
    ") AS wanted (name, place, since)
     JOIN erased ON erased.name = sha256(convert_to(lower(btrim(wanted.name)), 'UTF8'))
     WHERE wanted.name ~ '^[a-z_]+/' OR erased.erased_at > wanted.since"
}

/// All that an event may call a person: its subject, and every text of its data, as it is and, where the field is called
/// `<kind>_id`, as `<kind>/<id>`.
pub(super) fn mentioned(event: &Event) -> Vec<String> {
    let mut found = vec![event.subject.clone()];
    collect(&event.data, None, &mut found);
    if tells_of_erasures(event) {
        // It says by their ids who was forgotten.
        found.retain(|name| !super::is_entity(name));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn tells_of_erasures(event: &Event) -> bool {
    use bhiv_events::Contract as _;
    let told = Producer::ALL.iter().any(|producer| PersonErased::kind(*producer).type_ == event.type_);
    told || event.type_ == compliance::ErasureCompleted::KIND.type_
}

fn collect(value: &Value, field: Option<&str>, found: &mut Vec<String>) {
    match value {
        Value::String(text) if found.len() < MOST && text.len() <= LONGEST && !text.contains('\0') => {
            if let Some(kind) = field.and_then(|field| field.strip_suffix("_id")) {
                found.push(format!("{kind}/{text}"));
            }
            found.push(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, field, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, Some(name), found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use bhiv_events::Contract as _;
    use bhiv_events::crm::{LeadConverted, LeadCreated};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_is_about_whom_it_names() {
        let lead = LeadCreated::sample();
        let names = mentioned(&Event::around(Uuid::nil(), &lead));
        assert!(names.contains(&format!("lead/{}", lead.lead_id)), "{names:?}");
        assert!(names.contains(&lead.name), "{names:?}");

        let converted = LeadConverted::sample();
        let names = mentioned(&Event::around(Uuid::nil(), &converted));
        assert!(names.contains(&format!("contact/{}", converted.contact_id)), "{names:?}");
    }

    #[test]
    fn what_tells_of_an_erasure_is_no_news_of_the_person() {
        let names = mentioned(&Event::around(Uuid::nil(), &PersonErased::sample()));
        assert!(names.iter().all(|name| !name.starts_with("lead/")), "{names:?}");
    }
}
