//! Every query on `inbox`, `inbox_parked` and `subject_seq`.

use std::collections::HashSet;
use std::time::Duration;

use bhiv_broker::Headers;
use bhiv_db::Conn;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Interval, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::relay::rows::{headers, interval};
use crate::schema::{inbox, inbox_parked};

/// Remembers that each consumer sees the message beside it, and answers those pairs that are new. The pairs
/// are inserted in one order everywhere, so that replicas cannot wait for each other in a circle.
pub(crate) async fn claim(conn: &mut Conn, pairs: &[(Uuid, &str)]) -> QueryResult<HashSet<(Uuid, String)>> {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let (message_ids, consumers) = pairs.into_iter().unzip();
    let fresh: Vec<(Uuid, String)> = Claim { message_ids, consumers }.load(conn).await?;
    Ok(fresh.into_iter().collect())
}

struct Claim<'a> {
    message_ids: Vec<Uuid>,
    consumers: Vec<&'a str>,
}

impl Query for Claim<'_> {
    type SqlType = (SqlUuid, Text);
}

impl QueryId for Claim<'_> {
    type QueryId = Claim<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Claim<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO inbox (message_id, consumer) SELECT * FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.message_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.consumers)?;
        out.push_sql(") ON CONFLICT DO NOTHING RETURNING message_id, consumer");
        Ok(())
    }
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

/// Notes that `consumer` has seen change `sequence` of the subject; answers whether it is the newest so far.
pub(crate) async fn is_newest(
    conn: &mut Conn,
    consumer: &str,
    source: &str,
    subject: &str,
    sequence: i64,
) -> QueryResult<bool> {
    let updated = diesel::sql_query(
        "INSERT INTO subject_seq AS seen (consumer, source, subject, last_seq) VALUES ($1, $2, $3, $4)
         ON CONFLICT (consumer, source, subject) DO UPDATE SET last_seq = EXCLUDED.last_seq
           WHERE seen.last_seq < EXCLUDED.last_seq",
    )
    .bind::<Text, _>(consumer)
    .bind::<Text, _>(source)
    .bind::<Text, _>(subject)
    .bind::<BigInt, _>(sequence)
    .execute(conn)
    .await?;
    Ok(updated == 1)
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
