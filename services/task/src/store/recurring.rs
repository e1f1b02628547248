use bhiv_db::Conn;
use bhiv_types::Priority;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::RecurringId;
use crate::domain::recurring::Blueprint;
use crate::schema::{recurring_tasks, service_levels};

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

/// What is promised of tasks that are so urgent.
#[derive(
    Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize, ToSchema,
)]
#[diesel(table_name = service_levels, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct ServiceLevel {
    /// How urgent.
    pub priority: Priority,
    /// Grows by one with each change.
    pub version: i64,
    /// Somebody begins within so many minutes.
    pub respond_within_minutes: Option<i32>,
    /// It is done within so many minutes.
    pub resolve_within_minutes: Option<i32>,
    /// It is escalated after so many minutes if it is not done.
    pub escalate_after_minutes: Option<i32>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// All promises.
pub async fn levels(conn: &mut Conn) -> QueryResult<Vec<ServiceLevel>> {
    let levels = service_levels::table.order(service_levels::priority);
    levels.select(ServiceLevel::as_select()).load(conn).await
}

/// What is promised of tasks that are so urgent, if anything is.
pub async fn level(conn: &mut Conn, priority: Priority) -> QueryResult<Option<ServiceLevel>> {
    service_levels::table.find(priority).select(ServiceLevel::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock_level(conn: &mut Conn, priority: Priority) -> QueryResult<Option<ServiceLevel>> {
    let level = service_levels::table.find(priority).select(ServiceLevel::as_select()).for_update();
    level.first(conn).await.optional()
}

/// Promises.
pub async fn put_level(conn: &mut Conn, level: &ServiceLevel) -> QueryResult<()> {
    let put = diesel::insert_into(service_levels::table).values(level);
    put.on_conflict(service_levels::priority).do_update().set(level).execute(conn).await.map(drop)
}

/// Promises nothing any more.
pub async fn delete_level(conn: &mut Conn, priority: Priority) -> QueryResult<()> {
    diesel::delete(service_levels::table.find(priority)).execute(conn).await.map(drop)
}
