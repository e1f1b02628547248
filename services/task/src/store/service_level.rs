use bhiv_db::Conn;
use bhiv_types::Priority;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schema::service_levels;

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
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<ServiceLevel>> {
    let levels = service_levels::table.order(service_levels::priority);
    levels.select(ServiceLevel::as_select()).load(conn).await
}

/// What is promised of tasks that are so urgent, if anything is.
pub async fn find(conn: &mut Conn, priority: Priority) -> QueryResult<Option<ServiceLevel>> {
    service_levels::table.find(priority).select(ServiceLevel::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, priority: Priority) -> QueryResult<Option<ServiceLevel>> {
    let level = service_levels::table.find(priority).select(ServiceLevel::as_select()).for_update();
    level.first(conn).await.optional()
}

/// Promises.
pub async fn put(conn: &mut Conn, level: &ServiceLevel) -> QueryResult<()> {
    let put = diesel::insert_into(service_levels::table).values(level);
    put.on_conflict(service_levels::priority).do_update().set(level).execute(conn).await.map(drop)
}

/// Promises nothing any more.
pub async fn delete(conn: &mut Conn, priority: Priority) -> QueryResult<()> {
    diesel::delete(service_levels::table.find(priority)).execute(conn).await.map(drop)
}
