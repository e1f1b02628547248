//! Every query on `inbox`, `inbox_parked` and `subject_seq`.

use std::collections::HashSet;
use std::time::Duration;

use bhiv_broker::Headers;
use bhiv_db::Conn;
use bhiv_db::statement;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Interval, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::relay::rows::{headers, interval};
use crate::schema::{inbox, inbox_parked, subject_seq};

/// Remembers that each consumer sees the message beside it, and answers those pairs that are new. The pairs
/// are inserted in one order everywhere, so that replicas cannot wait for each other in a circle.
pub(crate) async fn claim(conn: &mut Conn, pairs: &[(Uuid, &str)]) -> QueryResult<HashSet<(Uuid, String)>> {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let (message_ids, consumers) = pairs.into_iter().unzip();
    let fresh: Vec<(Uuid, String)> = Claim::new(message_ids, consumers).load(conn).await?;
    Ok(fresh.into_iter().collect())
}

statement! {
    struct Claim<'a> { message_ids: Vec<Uuid>, consumers: Vec<&'a str> } -> (SqlUuid, Text);
    "INSERT INTO inbox (message_id, consumer) SELECT * FROM unnest("
    [message_ids: Array<SqlUuid>] ", " [consumers: Array<Text>]
    ") ON CONFLICT DO NOTHING RETURNING message_id, consumer"
}

/// Forgets that `consumer` saw the message, so that it is handled when it comes again.
pub(crate) async fn forget(conn: &mut Conn, message_id: Uuid, consumer: &str) -> QueryResult<usize> {
    diesel::delete(inbox::table.find((message_id, consumer))).execute(conn).await
}

/// Forgets messages with ids below `before`, some at a time.
pub(crate) async fn forget_before(conn: &mut Conn, before: Uuid, most: i64) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM inbox WHERE (message_id, consumer) IN
           (SELECT message_id, consumer FROM inbox WHERE message_id < $1 ORDER BY message_id LIMIT $2)",
    )
    .bind::<SqlUuid, _>(before)
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await
}

/// A change of a subject, as one consumer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) consumer: &'a str,
    pub(crate) source: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) sequence: i64,
}

/// Notes the change if it is the newest so far, and answers whether it is.
pub(crate) async fn is_newest(conn: &mut Conn, change: Change<'_>) -> QueryResult<bool> {
    let Change { consumer, source, subject, sequence } = change;
    let noted = NoteNewest::new(consumer, source, subject, sequence).execute(conn).await?;
    Ok(noted == 1)
}

statement! {
    struct NoteNewest<'a> { consumer: &'a str, source: &'a str, subject: &'a str, sequence: i64 } -> ();
    "INSERT INTO subject_seq AS seen (consumer, source, subject, last_seq) VALUES ("
    [consumer: Text] ", " [source: Text] ", " [subject: Text] ", " [sequence: BigInt]
    ") ON CONFLICT (consumer, source, subject) DO UPDATE SET last_seq = EXCLUDED.last_seq
         WHERE seen.last_seq < EXCLUDED.last_seq"
}

/// Notes the change if it comes next, or belongs to the newest one, and answers whether it does. With
/// `anyway`, it is noted wherever it stands.
pub(crate) async fn is_next(conn: &mut Conn, change: Change<'_>, anyway: bool) -> QueryResult<bool> {
    let Change { consumer, source, subject, sequence } = change;
    if NoteNext::new(consumer, source, subject, sequence, anyway).execute(conn).await? == 1 {
        return Ok(true);
    }
    if sequence > 1 && !anyway {
        return Ok(false);
    }
    Ok(NoteFirst::new(consumer, source, subject, sequence).execute(conn).await? == 1)
}

statement! {
    struct NoteNext<'a> {
        consumer: &'a str, source: &'a str, subject: &'a str, sequence: i64, anyway: bool,
    } -> ();
    "UPDATE subject_seq AS seen SET last_seq = greatest(seen.last_seq, change.sequence)
     FROM (SELECT " [sequence: BigInt] "::bigint AS sequence) AS change
     WHERE consumer = " [consumer: Text] " AND source = " [source: Text] " AND subject = " [subject: Text]
    " AND (seen.last_seq IN (change.sequence - 1, change.sequence) OR " [anyway: Bool] ")"
}

statement! {
    struct NoteFirst<'a> { consumer: &'a str, source: &'a str, subject: &'a str, sequence: i64 } -> ();
    "INSERT INTO subject_seq (consumer, source, subject, last_seq) VALUES ("
    [consumer: Text] ", " [source: Text] ", " [subject: Text] ", " [sequence: BigInt]
    ") ON CONFLICT DO NOTHING"
}

/// The last change of the subject that the consumer has handled; 0 if none.
pub(crate) async fn last_sequence(conn: &mut Conn, change: Change<'_>) -> QueryResult<i64> {
    let last = subject_seq::table
        .find((change.consumer, change.source, change.subject))
        .select(subject_seq::last_seq)
        .first(conn)
        .await
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// The changes that waited for this one can be tried at once.
pub(crate) async fn hurry_next(conn: &mut Conn, change: Change<'_>) -> QueryResult<usize> {
    HurryNext::new(change.consumer, change.subject, change.sequence).execute(conn).await
}

statement! {
    struct HurryNext<'a> { consumer: &'a str, subject: &'a str, sequence: i64 } -> ();
    "UPDATE inbox_parked SET next_attempt_at = now() WHERE consumer = " [consumer: Text]
    " AND subject = " [subject: Text] " AND error_class = 'early' AND sequence <= 1 + " [sequence: BigInt]
}

/// A message to be parked.
#[derive(Debug)]
pub(crate) struct NewParked<'a> {
    pub(crate) consumer: &'a str,
    pub(crate) message_id: Uuid,
    pub(crate) subject: &'a str,
    pub(crate) sequence: i64,
    pub(crate) headers: &'a Headers,
    pub(crate) payload: &'a [u8],
    pub(crate) queue: &'a str,
    pub(crate) error_class: &'a str,
    pub(crate) error: &'a str,
    pub(crate) delay: Duration,
}

/// Parks a message after its first failure.
pub(crate) async fn park(conn: &mut Conn, parked: &NewParked<'_>) -> QueryResult<usize> {
    diesel::sql_query(
        "INSERT INTO inbox_parked (consumer, message_id, subject, sequence, headers, payload, queue,
                                   error_class, error, attempts, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, now() + $10)",
    )
    .bind::<Text, _>(parked.consumer)
    .bind::<SqlUuid, _>(parked.message_id)
    .bind::<Text, _>(parked.subject)
    .bind::<BigInt, _>(parked.sequence)
    .bind::<Jsonb, _>(serde_json::to_value(parked.headers).unwrap_or_default())
    .bind::<Bytea, _>(parked.payload)
    .bind::<Text, _>(parked.queue)
    .bind::<Text, _>(parked.error_class)
    .bind::<Text, _>(parked.error)
    .bind::<Interval, _>(interval(parked.delay))
    .execute(conn)
    .await
}

/// A parked message.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = inbox_parked)]
pub(crate) struct Parked {
    pub(crate) consumer: String,
    pub(crate) message_id: Uuid,
    headers: Value,
    pub(crate) payload: Vec<u8>,
    pub(crate) queue: String,
    pub(crate) attempts: i32,
}

impl Parked {
    pub(crate) fn headers(&self) -> Headers {
        headers(&self.headers)
    }
}

/// A parked message whose time has come, locked: no other replica gets it.
pub(crate) async fn next_due(conn: &mut Conn) -> QueryResult<Option<Parked>> {
    inbox_parked::table
        .filter(inbox_parked::next_attempt_at.le(diesel::dsl::now))
        .order(inbox_parked::next_attempt_at)
        .select(Parked::as_select())
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()
}

/// The message is handled, or given up.
pub(crate) async fn unpark(conn: &mut Conn, consumer: &str, message_id: Uuid) -> QueryResult<usize> {
    diesel::delete(inbox_parked::table.find((consumer, message_id))).execute(conn).await
}

/// The message failed once more.
pub(crate) async fn park_again(
    conn: &mut Conn,
    parked: &Parked,
    class: &str,
    error: &str,
    delay: Duration,
) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE inbox_parked SET attempts = $3, next_attempt_at = now() + $4, error_class = $5, error = $6
         WHERE consumer = $1 AND message_id = $2",
    )
    .bind::<Text, _>(&parked.consumer)
    .bind::<SqlUuid, _>(parked.message_id)
    .bind::<Integer, _>(parked.attempts + 1)
    .bind::<Interval, _>(interval(delay))
    .bind::<Text, _>(class)
    .bind::<Text, _>(error)
    .execute(conn)
    .await
}
