//! Events that workflows can be tried on.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::schema::heard_events;

/// An event, as conditions and templates see it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = heard_events)]
pub struct HeardEvent {
    pub event_id: Uuid,
    pub name: String,
    pub event: Value,
    pub data: Value,
    pub heard_at: DateTime<Utc>,
}

/// The event, if it was kept and is not forgotten.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<HeardEvent>> {
    heard_events::table.find(id).select(HeardEvent::as_select()).first(conn).await.optional()
}

/// Keeps an event, once.
pub async fn insert(conn: &mut Conn, heard: &HeardEvent) -> QueryResult<()> {
    let insert = diesel::insert_into(heard_events::table).values(heard);
    insert.on_conflict_do_nothing().execute(conn).await.map(drop)
}

/// Up to `limit` events of a name from then until then, the newest first.
pub async fn list(
    conn: &mut Conn,
    name: &str,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> QueryResult<Vec<HeardEvent>> {
    heard_events::table
        .filter(heard_events::name.eq(name.to_owned()))
        .filter(heard_events::heard_at.ge(from).and(heard_events::heard_at.lt(until)))
        .order((heard_events::heard_at.desc(), heard_events::event_id.desc()))
        .limit(limit)
        .select(HeardEvent::as_select())
        .load(conn)
        .await
}

/// Forgets up to `limit` events that were heard before then; answers how many.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> QueryResult<usize> {
    let old = heard_events::table.filter(heard_events::heard_at.lt(before)).order(heard_events::heard_at);
    let old = old.limit(limit).select(heard_events::event_id).for_update().skip_locked();
    let ids: Vec<Uuid> = old.load(conn).await?;
    diesel::delete(heard_events::table.filter(heard_events::event_id.eq_any(ids))).execute(conn).await
}

/// The events about these records.
pub async fn about(conn: &mut Conn, subjects: &[String]) -> QueryResult<Vec<HeardEvent>> {
    use diesel::dsl::sql;
    use diesel::sql_types::{Array, Bool, Text};
    let is_about = sql::<Bool>("event ->> 'subject' = ANY(").bind::<Array<Text>, _>(subjects).sql(")");
    heard_events::table.filter(is_about).select(HeardEvent::as_select()).load(conn).await
}

/// Removes the events about these records, and those that these users caused.
pub async fn remove_about(conn: &mut Conn, names: &[String]) -> QueryResult<usize> {
    use diesel::sql_types::{Array, Text};
    diesel::sql_query(
        "DELETE FROM heard_events WHERE event ->> 'subject' = ANY($1) OR event ->> 'actor' = ANY($1)",
    )
    .bind::<Array<Text>, _>(names)
    .execute(conn)
    .await
}
