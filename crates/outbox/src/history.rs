//! What records were: every change of one with who made it, when, and what it was before and after.
//!
//! A service keeps it for its records by [`HISTORY`] among its migrations and [`Tx::change`] in its commands.
//! States are kept as the API shows them. A field that is added later needs `#[serde(default)]`, so that older
//! states can still be read.
//!
//! [`Tx::change`]: crate::Tx::change

use bhiv_db::{Conn, JsonText, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The table of records' states, for services that keep them.
pub const HISTORY: diesel_migrations::EmbeddedMigrations =
    diesel_migrations::embed_migrations!("migrations-history");

/// A change to be written.
#[derive(Debug)]
pub(crate) struct NewState {
    pub(crate) entity: String,
    pub(crate) version: i64,
    /// Who changed it how: a [`Circumstances`].
    pub(crate) circumstances: JsonText,
    pub(crate) before: Option<JsonText>,
    pub(crate) after: Option<JsonText>,
}

/// Who changed a record how, named as the columns are.
#[derive(Debug, Serialize)]
pub(crate) struct Circumstances<'a> {
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) correlation_id: Uuid,
}

/// Writes all of them with one statement that stays prepared.
pub(crate) async fn insert(conn: &mut Conn, states: &[NewState]) -> QueryResult<usize> {
    Insert::new(
        states.iter().map(|state| state.entity.as_str()).collect(),
        states.iter().map(|state| state.version).collect(),
        states.iter().map(|state| &state.circumstances).collect(),
        states.iter().map(|state| state.before.as_ref()).collect(),
        states.iter().map(|state| state.after.as_ref()).collect(),
    )
    .execute(conn)
    .await
}

statement! {
    struct Insert<'a> {
        entities: Vec<&'a str>,
        versions: Vec<i64>,
        circumstances: Vec<&'a JsonText>,
        befores: Vec<Option<&'a JsonText>>,
        afters: Vec<Option<&'a JsonText>>,
    } -> ();
    "INSERT INTO history (entity, version, at, actor, action, request_id, correlation_id, state, previous)
     SELECT entity, version, at, actor, action, request_id, correlation_id, state,
            CASE WHEN NOT EXISTS (SELECT FROM history h WHERE h.entity = new.entity) THEN previous END
     FROM unnest(" [entities: Array<Text>] ", " [versions: Array<BigInt>] ", " [circumstances: Array<Jsonb>] ", "
    [befores: Array<Nullable<Jsonb>>] ", " [afters: Array<Nullable<Jsonb>>]
    ") AS new (entity, version, circumstances, previous, state),
     jsonb_to_record(circumstances)
         AS how (at timestamptz, actor text, action text, request_id text, correlation_id uuid)"
}

/// One change of a record.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct Change {
    /// The record's version since.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Who: `user/<id>` or `service/<name>`.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// What they did, for example `lead.update`.
    #[diesel(sql_type = Text)]
    pub action: String,
    /// The HTTP request.
    #[diesel(sql_type = Nullable<Text>)]
    pub request_id: Option<String>,
    /// The causal story.
    #[diesel(sql_type = SqlUuid)]
    pub correlation_id: Uuid,
    /// What it was before; nothing when it was created.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub before: Option<Value>,
    /// What it was after; nothing when it was removed.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub after: Option<Value>,
}

/// Up to `limit` changes of a record, the newest first, below the version `below` if there is one.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut Conn, entity: &str, below: Option<i64>, limit: i64) -> QueryResult<Vec<Change>> {
    diesel::sql_query(
        "SELECT version, at, actor, action, request_id, correlation_id, state AS after,
                coalesce(previous, (SELECT state FROM history earlier WHERE earlier.entity = h.entity
                                    AND earlier.version < h.version ORDER BY version DESC LIMIT 1)) AS before
         FROM history h WHERE entity = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
    )
    .bind::<Text, _>(entity)
    .bind::<BigInt, _>(below.unwrap_or(i64::MAX))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

/// How many changes of a record there are.
///
/// # Errors
/// When the database fails.
pub async fn count(conn: &mut Conn, entity: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    diesel::sql_query("SELECT count(*) AS count FROM history WHERE entity = $1")
        .bind::<Text, _>(entity)
        .get_result::<Count>(conn)
        .await
        .map(|row| row.count)
}

/// The record as it was at that time; nothing if it was not there.
///
/// # Errors
/// When the database fails.
pub async fn as_of(conn: &mut Conn, entity: &str, at: DateTime<Utc>) -> QueryResult<Option<Value>> {
    #[derive(QueryableByName)]
    struct State {
        #[diesel(sql_type = Nullable<Jsonb>)]
        state: Option<Value>,
    }
    // A record that is older than its history was, until its first change there, what it was before that.
    diesel::sql_query(
        "(SELECT state FROM history WHERE entity = $1 AND at <= $2 ORDER BY version DESC LIMIT 1)
         UNION ALL
         (SELECT previous FROM history WHERE entity = $1 AND previous IS NOT NULL AND at > $2
          AND (previous ->> 'created_at')::timestamptz <= $2)
         LIMIT 1",
    )
    .bind::<Text, _>(entity)
    .bind::<Timestamptz, _>(at)
    .get_result::<State>(conn)
    .await
    .optional()
    .map(|found| found.and_then(|row| row.state))
}

/// Forgets what a record was: for who has the right to be forgotten. Its last state stays with the record.
///
/// # Errors
/// When the database fails.
pub async fn forget(conn: &mut Conn, entity: &str) -> QueryResult<usize> {
    diesel::sql_query("DELETE FROM history WHERE entity = $1").bind::<Text, _>(entity).execute(conn).await
}

/// [`forget`] for several records.
///
/// # Errors
/// When the database fails.
pub async fn forget_all(conn: &mut Conn, entities: &[String]) -> QueryResult<usize> {
    diesel::sql_query("DELETE FROM history WHERE entity = ANY($1)")
        .bind::<Array<Text>, _>(entities)
        .execute(conn)
        .await
}
