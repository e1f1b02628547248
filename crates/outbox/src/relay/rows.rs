//! Every query on `outbox` and `outbox_parked`.

use std::borrow::Cow;
use std::time::Duration;

use bhiv_broker::{Headers, Message, wire};
use bhiv_db::{Conn, JsonText, statement};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Interval, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::{outbox, outbox_parked};

/// An event to be inserted.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) event_id: Uuid,
    pub(crate) exchange: &'static str,
    pub(crate) routing_key: Cow<'static, str>,
    pub(crate) subject: String,
    pub(crate) sequence: i64,
    pub(crate) headers: JsonText,
    pub(crate) payload: Vec<u8>,
}

/// An event on its way.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct Row {
    pub(crate) id: i64,
    event_id: Uuid,
    exchange: String,
    routing_key: String,
    headers: Value,
    payload: Vec<u8>,
}

impl Row {
    pub(crate) fn into_message(self) -> Message {
        Message {
            exchange: self.exchange,
            routing_key: self.routing_key,
            id: self.event_id,
            headers: wire::text_headers(self.headers),
            body: self.payload,
        }
    }
}

pub(crate) fn headers(json: &Value) -> Headers {
    let Some(map) = json.as_object() else { return Headers::new() };
    map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// Inserts all rows with one statement that stays prepared; ids follow the order of `rows`.
pub(crate) async fn insert(conn: &mut Conn, rows: &[NewRow]) -> QueryResult<usize> {
    Insert::new(
        rows.iter().map(|row| row.event_id).collect(),
        rows.iter().map(|row| row.exchange).collect(),
        rows.iter().map(|row| &*row.routing_key).collect(),
        rows.iter().map(|row| row.subject.as_str()).collect(),
        rows.iter().map(|row| row.sequence).collect(),
        rows.iter().map(|row| &row.headers).collect(),
        rows.iter().map(|row| row.payload.as_slice()).collect(),
    )
    .execute(conn)
    .await
}

statement! {
    struct Insert<'a> {
        event_ids: Vec<Uuid>,
        exchanges: Vec<&'a str>,
        routing_keys: Vec<&'a str>,
        subjects: Vec<&'a str>,
        sequences: Vec<i64>,
        headers: Vec<&'a JsonText>,
        payloads: Vec<&'a [u8]>,
    } -> ();
    // The transaction has its number before a row has its id: the relay's floor relies on that.
    "INSERT INTO outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
     SELECT event_id, exchange, routing_key, subject, sequence, headers, payload
     FROM pg_current_xact_id(), unnest("
    [event_ids: Array<SqlUuid>] ", " [exchanges: Array<Text>] ", " [routing_keys: Array<Text>] ", "
    [subjects: Array<Text>] ", " [sequences: Array<BigInt>] ", " [headers: Array<Jsonb>] ", "
    [payloads: Array<Bytea>]
    ") WITH ORDINALITY AS new (event_id, exchange, routing_key, subject, sequence, headers, payload, place)
     ORDER BY place"
}

/// The oldest rows above `floor`.
pub(crate) async fn next(conn: &mut Conn, floor: i64, most: i64) -> QueryResult<Vec<Row>> {
    outbox::table
        .filter(outbox::id.gt(floor))
        .order(outbox::id)
        .limit(most)
        .select(Row::as_select())
        .load(conn)
        .await
}

/// Forgets rows that were delivered.
pub(crate) async fn delete(conn: &mut Conn, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(outbox::table.filter(outbox::id.eq_any(ids))).execute(conn).await
}

/// Moves a refused row out of the way, to be tried again after `delay`.
pub(crate) async fn park(conn: &mut Conn, id: i64, reason: &str, delay: Duration) -> QueryResult<usize> {
    diesel::sql_query(
        "WITH refused AS (DELETE FROM outbox WHERE id = $1 RETURNING *)
         INSERT INTO outbox_parked (id, event_id, exchange, routing_key, subject, sequence, headers, payload,
                                    created_at, attempts, next_attempt_at, last_error)
         SELECT id, event_id, exchange, routing_key, subject, sequence, headers, payload,
                created_at, 1, now() + $3, $2 FROM refused",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(reason)
    .bind::<Interval, _>(interval(delay))
    .execute(conn)
    .await
}

/// A refused row and how often it was tried.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = outbox_parked)]
pub(crate) struct Parked {
    pub(crate) id: i64,
    event_id: Uuid,
    exchange: String,
    routing_key: String,
    headers: Value,
    payload: Vec<u8>,
    pub(crate) attempts: i32,
}

impl Parked {
    pub(crate) fn into_message(self) -> Message {
        Message {
            exchange: self.exchange,
            routing_key: self.routing_key,
            id: self.event_id,
            headers: wire::text_headers(self.headers),
            body: self.payload,
        }
    }
}

/// Parked rows whose time has come.
pub(crate) async fn due(conn: &mut Conn, most: i64) -> QueryResult<Vec<Parked>> {
    outbox_parked::table
        .filter(outbox_parked::next_attempt_at.le(diesel::dsl::now))
        .order(outbox_parked::next_attempt_at)
        .limit(most)
        .select(Parked::as_select())
        .load(conn)
        .await
}

/// A parked row was delivered at last.
pub(crate) async fn unpark(conn: &mut Conn, id: i64) -> QueryResult<usize> {
    diesel::delete(outbox_parked::table.find(id)).execute(conn).await
}

/// A parked row was refused once more.
pub(crate) async fn park_again(
    conn: &mut Conn,
    id: i64,
    reason: &str,
    delay: Duration,
) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE outbox_parked SET attempts = attempts + 1, next_attempt_at = now() + $3, last_error = $2
         WHERE id = $1",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(reason)
    .bind::<Interval, _>(interval(delay))
    .execute(conn)
    .await
}

pub(crate) fn interval(delay: Duration) -> diesel::data_types::PgInterval {
    let micros = i64::try_from(delay.as_micros()).unwrap_or(i64::MAX);
    diesel::data_types::PgInterval::from_microseconds(micros)
}
