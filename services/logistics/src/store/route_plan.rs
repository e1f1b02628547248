use bhiv_db::{Conn, keyset};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::RoutePlanId;
use crate::domain::plan::{NewPlan, PlanStatus, Routes};
use crate::schema::route_plans;

/// A plan of routes, and how far it is.
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
#[diesel(table_name = route_plans, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct RoutePlan {
    /// Its id.
    pub id: RoutePlanId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Where it stands.
    pub status: PlanStatus,
    /// How much of the time that it may take has passed, in percent; 100 when it has ended.
    pub progress: i32,
    /// What was asked for.
    pub ask: NewPlan,
    /// What was found.
    pub result: Option<Routes>,
    /// Why nothing could be found.
    pub fault: Option<String>,
    /// Until when whoever computes it is believed to be alive.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub claimed_until: Option<DateTime<Utc>>,
    /// How often it was begun; more than once when whoever computed it died.
    pub attempts: i32,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &RoutePlan) -> QueryResult<()> {
    diesel::insert_into(route_plans::table).values(row).execute(conn).await.map(drop)
}

/// The one with that id, if there is one.
pub async fn find(conn: &mut Conn, id: RoutePlanId) -> QueryResult<Option<RoutePlan>> {
    route_plans::table.find(id).select(RoutePlan::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: RoutePlanId) -> QueryResult<Option<RoutePlan>> {
    route_plans::table.find(id).select(RoutePlan::as_select()).for_update().first(conn).await.optional()
}

/// The oldest that nobody computes, or whose owner has been silent for too long; locked, and nobody else's.
pub async fn lock_next(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<Option<RoutePlan>> {
    let is_left =
        route_plans::status.eq(PlanStatus::Running).and(route_plans::claimed_until.lt(now).assume_not_null());
    route_plans::table
        .filter(route_plans::status.eq(PlanStatus::Queued).or(is_left))
        .order((route_plans::created_at, route_plans::id))
        .select(RoutePlan::as_select())
        .for_update()
        .skip_locked()
        .first(conn)
        .await
        .optional()
}

/// Notes how far its owner is; whether it is still theirs.
pub async fn keep(
    conn: &mut Conn,
    id: RoutePlanId,
    attempt: i32,
    progress: i32,
    until: DateTime<Utc>,
) -> QueryResult<bool> {
    let owned = route_plans::table
        .find(id)
        .filter(route_plans::status.eq(PlanStatus::Running))
        .filter(route_plans::attempts.eq(attempt));
    let set = (route_plans::progress.eq(progress), route_plans::claimed_until.eq(until));
    Ok(diesel::update(owned).set(set).execute(conn).await? == 1)
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, row: &RoutePlan) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// Up to `limit` of them, by when they were asked for, beginning after the place; only those that stand there.
pub async fn list(
    conn: &mut Conn,
    status: Option<PlanStatus>,
    after: Option<(DateTime<Utc>, RoutePlanId)>,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<RoutePlan>> {
    let mut query = route_plans::table.into_boxed();
    if let Some(status) = status {
        query = query.filter(route_plans::status.eq(status));
    }
    keyset!(query, route_plans::created_at, route_plans::id, descending, after)
        .limit(limit)
        .select(RoutePlan::as_select())
        .load(conn)
        .await
}

/// How many there are.
pub async fn count(conn: &mut Conn, status: Option<PlanStatus>) -> QueryResult<i64> {
    let mut query = route_plans::table.into_boxed();
    if let Some(status) = status {
        query = query.filter(route_plans::status.eq(status));
    }
    query.count().get_result(conn).await
}
