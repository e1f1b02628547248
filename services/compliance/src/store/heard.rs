//! Events that were judged, as they were judged.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::context::Known;
use crate::schema::heard_events;

/// An event, and what was known beside it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize)]
#[diesel(table_name = heard_events)]
pub struct HeardEvent {
    pub event_id: Uuid,
    pub name: String,
    pub event: Value,
    pub known: Known,
    pub heard_at: DateTime<Utc>,
}

/// Keeps an event, once.
pub async fn insert(conn: &mut Conn, heard: &HeardEvent) -> QueryResult<()> {
    let insert = diesel::insert_into(heard_events::table).values(heard);
    insert.on_conflict_do_nothing().execute(conn).await.map(drop)
}

/// Up to `limit` events of a name, or of any, from then until then, the newest first.
pub async fn list(
    conn: &mut Conn,
    name: Option<&str>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    limit: i64,
) -> QueryResult<Vec<HeardEvent>> {
    let mut query = heard_events::table.into_boxed();
    if let Some(name) = name {
        query = query.filter(heard_events::name.eq(name.to_owned()));
    }
    query
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
