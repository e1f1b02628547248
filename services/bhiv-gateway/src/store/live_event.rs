use bhiv_db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::schema::live_events;

/// An event with its place in the live stream.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
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

/// Forgets events that are older than an hour, some at a time.
pub async fn forget_old(conn: &mut Conn, most: i64) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM live_events WHERE seq IN
           (SELECT seq FROM live_events WHERE received_at < now() - interval '1 hour' ORDER BY seq LIMIT $1)",
    )
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await
}
