use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::RecurringId;
use crate::domain::recurring::Blueprint;
use crate::schema::recurring_tasks;

/// A task that comes again and again.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = recurring_tasks, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Recurring {
    /// Its id.
    pub id: RecurringId,
    /// Grows by one with each change.
    pub version: i64,
    /// When: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// Whose clock.
    pub timezone: String,
    /// What comes.
    pub task: Blueprint,
    /// Whether it comes at all.
    pub enabled: bool,
    /// When it comes next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it came last.
    pub last_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Writes a new one.
pub async fn insert(conn: &mut Conn, recurring: &Recurring) -> QueryResult<()> {
    diesel::insert_into(recurring_tasks::table).values(recurring).execute(conn).await.map(drop)
}

/// The one of that id, if there is one.
pub async fn find(conn: &mut Conn, id: RecurringId) -> QueryResult<Option<Recurring>> {
    recurring_tasks::table.find(id).select(Recurring::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: RecurringId) -> QueryResult<Option<Recurring>> {
    recurring_tasks::table.find(id).select(Recurring::as_select()).for_update().first(conn).await.optional()
}

/// Up to `limit` that are due; locked, and nobody else's.
pub async fn lock_due(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Recurring>> {
    recurring_tasks::table
        .filter(recurring_tasks::next_at.le(now))
        .order(recurring_tasks::next_at)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Recurring::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, recurring: &Recurring) -> QueryResult<()> {
    diesel::update(recurring).set(recurring).execute(conn).await.map(drop)
}

/// Removes one.
pub async fn delete(conn: &mut Conn, id: RecurringId) -> QueryResult<()> {
    diesel::delete(recurring_tasks::table.find(id)).execute(conn).await.map(drop)
}

/// Up to `limit`, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    enabled: Option<bool>,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Recurring>> {
    let mut query = recurring_tasks::table.into_boxed();
    if let Some(enabled) = enabled {
        query = query.filter(recurring_tasks::enabled.eq(enabled));
    }
    if let Some(after) = after {
        query = query.filter(recurring_tasks::id.lt(RecurringId(after)));
    }
    query.order(recurring_tasks::id.desc()).limit(limit).select(Recurring::as_select()).load(conn).await
}

/// How many there are.
pub async fn count(conn: &mut Conn, enabled: Option<bool>) -> QueryResult<i64> {
    let mut query = recurring_tasks::table.into_boxed();
    if let Some(enabled) = enabled {
        query = query.filter(recurring_tasks::enabled.eq(enabled));
    }
    query.count().get_result(conn).await
}
