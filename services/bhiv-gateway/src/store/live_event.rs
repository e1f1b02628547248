use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::live_events;

/// An event with its place in the live stream.
#[derive(Clone, Debug, PartialEq, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = live_events)]
pub struct LiveEvent {
    /// Its place; grows.
    pub seq: i64,
    /// The module that told it, for example `crm`.
    pub module: String,
    /// The event in CloudEvents' JSON format.
    pub event: Value,
}

/// Appends events. One transaction at a time does, so that places become visible in their order and a reader
/// who has seen a place has seen all before it.
pub async fn append(conn: &mut Conn, modules: &[&str], events: &[Value]) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.live', 0))")
        .execute(conn)
        .await?;
    diesel::sql_query(
        "INSERT INTO live_events (module, event)
         SELECT module, event FROM unnest($1, $2) WITH ORDINALITY AS new (module, event, place) ORDER BY place",
    )
    .bind::<Array<Text>, _>(modules)
    .bind::<Array<Jsonb>, _>(events)
    .execute(conn)
    .await
    .map(drop)
}

/// Up to `limit` events above the place `after`, in order.
pub async fn after(conn: &mut Conn, after: i64, limit: i64) -> QueryResult<Vec<LiveEvent>> {
    live_events::table
        .filter(live_events::seq.gt(after))
        .order(live_events::seq)
        .limit(limit)
        .select(LiveEvent::as_select())
        .load(conn)
        .await
}

/// The highest place so far; 0 without one.
pub async fn last(conn: &mut Conn) -> QueryResult<i64> {
    let last: Option<i64> =
        live_events::table.select(diesel::dsl::max(live_events::seq)).get_result(conn).await?;
    Ok(last.unwrap_or(0))
}

/// The lowest and the highest place that is kept, unless there was never an event.
pub async fn kept(conn: &mut Conn) -> QueryResult<Option<(i64, i64)>> {
    use diesel::dsl::{max, min};
    let kept: (Option<i64>, Option<i64>) =
        live_events::table.select((min(live_events::seq), max(live_events::seq))).get_result(conn).await?;
    Ok(kept.0.zip(kept.1))
}

/// Which of the latest events; what is absent does not count.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Told by one of these modules.
    pub modules: Vec<&'static str>,
    /// Of one of these CloudEvents types.
    pub types: Option<Vec<&'static str>>,
    /// Of this causal story.
    pub correlation_id: Option<Uuid>,
    /// At this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

const FILTER: &str = "module = ANY($1) AND ($2 IS NULL OR event ->> 'type' = ANY($2))
    AND ($3 IS NULL OR (event ->> 'correlationid')::uuid = $3)
    AND ($4 IS NULL OR (event ->> 'time')::timestamptz >= $4)
    AND ($5 IS NULL OR (event ->> 'time')::timestamptz < $5)";

/// Up to `limit` of the latest events, the newest first, beginning below the place `below`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    below: Option<i64>,
    limit: i64,
) -> QueryResult<Vec<LiveEvent>> {
    diesel::sql_query(format!(
        "SELECT seq, module, event FROM live_events WHERE {FILTER} AND ($6 IS NULL OR seq < $6)
         ORDER BY seq DESC LIMIT $7"
    ))
    .bind::<Array<Text>, _>(&filter.modules)
    .bind::<Nullable<Array<Text>>, _>(&filter.types)
    .bind::<Nullable<SqlUuid>, _>(filter.correlation_id)
    .bind::<Nullable<Timestamptz>, _>(filter.since)
    .bind::<Nullable<Timestamptz>, _>(filter.until)
    .bind::<Nullable<BigInt>, _>(below)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many there are.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    let count: Count = diesel::sql_query(format!("SELECT count(*) AS count FROM live_events WHERE {FILTER}"))
        .bind::<Array<Text>, _>(&filter.modules)
        .bind::<Nullable<Array<Text>>, _>(&filter.types)
        .bind::<Nullable<SqlUuid>, _>(filter.correlation_id)
        .bind::<Nullable<Timestamptz>, _>(filter.since)
        .bind::<Nullable<Timestamptz>, _>(filter.until)
        .get_result(conn)
        .await?;
    Ok(count.count)
}

/// The event with that id, if it is one of the latest.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<LiveEvent>> {
    diesel::sql_query("SELECT seq, module, event FROM live_events WHERE (event ->> 'id')::uuid = $1")
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await
        .optional()
}

/// Forgets events that are older than an hour, some at a time. The newest one stays: it says how far the places
/// have come.
pub async fn forget_old(conn: &mut Conn, most: i64) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM live_events WHERE seq IN
           (SELECT seq FROM live_events WHERE received_at < now() - interval '1 hour'
              AND seq < (SELECT max(seq) FROM live_events)
            ORDER BY seq LIMIT $1)",
    )
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await
}
