use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::subscription::ROLES_NOW;
use crate::schema::{webhook_attempts, webhook_deliveries};

/// Something to deliver.
#[derive(Clone, Debug)]
pub struct NewDelivery<'a> {
    /// To whom.
    pub subscription_id: Uuid,
    /// The event's id.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// The module that told it, for example `crm`.
    pub module: &'a str,
    /// The event in CloudEvents' JSON format.
    pub event: &'a Value,
}

/// A delivery that somebody has taken up, with what it takes to make it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Due {
    /// To whom.
    #[diesel(sql_type = SqlUuid)]
    pub subscription_id: Uuid,
    /// The event's id.
    #[diesel(sql_type = SqlUuid)]
    pub event_id: Uuid,
    /// Its public name.
    #[diesel(sql_type = Text)]
    pub event_type: String,
    /// The module that told it.
    #[diesel(sql_type = Text)]
    pub module: String,
    /// The event in CloudEvents' JSON format.
    #[diesel(sql_type = Jsonb)]
    pub event: Value,
    /// The number of this attempt, from 1 on.
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    /// Where to.
    #[diesel(sql_type = Text)]
    pub callback_url: String,
    /// What to sign with.
    #[diesel(sql_type = Text)]
    pub secret: String,
    /// What to sign with as well.
    #[diesel(sql_type = Nullable<Text>)]
    pub old_secret: Option<String>,
    /// Whose subscription it is.
    #[diesel(sql_type = Text)]
    pub owner: String,
    /// The user who that is, or whose key.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub user_id: Option<Uuid>,
    /// The team that they work in now.
    #[diesel(sql_type = Nullable<Text>)]
    pub team: Option<String>,
    /// What the subscription's owner is now.
    #[diesel(sql_type = Array<Text>)]
    pub roles: Vec<String>,
    /// Permissions, if they have less than their roles allow.
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub scope: Option<Vec<String>>,
}

/// What came of an attempt to deliver.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = webhook_attempts, treat_none_as_default_value = false)]
#[expect(clippy::struct_field_names, reason = "named like the columns")]
pub struct Attempt {
    /// Its id.
    pub id: Uuid,
    #[serde(skip)]
    #[schema(ignore)]
    pub subscription_id: Uuid,
    /// The event's id, which the receiver sees as `webhook-id`.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// Its number, from 1 on.
    pub attempt: i32,
    /// `delivered`, `failed`, `given_up` after the last attempt, or `gone` (410).
    pub outcome: String,
    /// HTTP status of the answer, if there was one.
    pub status_code: Option<i32>,
    /// Why there was none, or why it is of no use.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: i64,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it began.
    pub at: DateTime<Utc>,
}

/// Writes what is to be delivered from `at` on; what is there already stays as it is.
pub async fn enqueue(conn: &mut Conn, deliveries: &[NewDelivery<'_>], at: DateTime<Utc>) -> QueryResult<()> {
    let (mut subscriptions, mut ids, mut types) = (Vec::new(), Vec::new(), Vec::new());
    let (mut modules, mut events) = (Vec::new(), Vec::new());
    for delivery in deliveries {
        subscriptions.push(delivery.subscription_id);
        ids.push(delivery.event_id);
        types.push(delivery.event_type.as_str());
        modules.push(delivery.module);
        events.push(delivery.event);
    }
    diesel::sql_query(
        "INSERT INTO webhook_deliveries
           (subscription_id, event_id, event_type, module, event, attempts, next_attempt_at, created_at)
         SELECT subscription_id, event_id, event_type, module, event, 0, $6, $6
         FROM unnest($1, $2, $3, $4, $5) AS new (subscription_id, event_id, event_type, module, event)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(subscriptions)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(types)
    .bind::<Array<Text>, _>(modules)
    .bind::<Array<Jsonb>, _>(events)
    .bind::<Timestamptz, _>(at)
    .execute(conn)
    .await
    .map(drop)
}

/// What may be taken up at once.
#[derive(Clone, Debug)]
pub struct Room {
    /// Deliveries in all.
    pub free: i64,
    /// Deliveries of each subscription, those under way included.
    pub each: i64,
    /// Subscriptions of which deliveries are under way, and how many.
    pub busy: Vec<(Uuid, i64)>,
}

/// Takes up what is due at `now`, of each subscription only a few: nobody else does before `until`. A transaction
/// of its own, over before anything is sent.
pub async fn take(
    conn: &mut Conn,
    room: Room,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<Vec<Due>> {
    let (busy, counts): (Vec<Uuid>, Vec<i64>) = room.busy.into_iter().unzip();
    diesel::sql_query(format!(
        "WITH due AS (
           SELECT row.subscription_id, row.event_id
           FROM subscriptions s
           LEFT JOIN unnest($2, $3) AS busy (id, count) ON busy.id = s.id
           CROSS JOIN LATERAL (
             SELECT d.subscription_id, d.event_id, d.next_attempt_at FROM webhook_deliveries d
             WHERE d.subscription_id = s.id AND d.next_attempt_at <= $1
             ORDER BY d.next_attempt_at
             LIMIT greatest($4 - coalesce(busy.count, 0), 0)
             FOR UPDATE SKIP LOCKED
           ) row
           WHERE s.enabled
           ORDER BY row.next_attempt_at
           LIMIT $5
         )
         UPDATE webhook_deliveries d SET next_attempt_at = $6, attempts = d.attempts + 1
         FROM due JOIN subscriptions s ON s.id = due.subscription_id
         WHERE d.subscription_id = due.subscription_id AND d.event_id = due.event_id
         RETURNING d.subscription_id, d.event_id, d.event_type, d.module, d.event, d.attempts AS attempt,
           s.callback_url, s.secret, s.scope, s.owner, s.user_id, {ROLES_NOW} AS roles,
           CASE WHEN s.user_id IS NULL THEN s.team ELSE (SELECT u.team FROM users u WHERE u.id = s.user_id) END AS team,
           CASE WHEN s.old_secret_until > $1 THEN s.old_secret END AS old_secret"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(busy)
    .bind::<Array<BigInt>, _>(counts)
    .bind::<BigInt, _>(room.each)
    .bind::<BigInt, _>(room.free)
    .bind::<Timestamptz, _>(until)
    .load(conn)
    .await
}

/// Removes a delivery that is done, or will not be.
pub async fn finish(conn: &mut Conn, subscription_id: Uuid, event_id: Uuid) -> QueryResult<()> {
    diesel::delete(webhook_deliveries::table.find((subscription_id, event_id))).execute(conn).await.map(drop)
}

/// Has a delivery tried again at `at`, unless somebody has begun another attempt since.
pub async fn postpone(conn: &mut Conn, attempt: &Attempt, at: DateTime<Utc>) -> QueryResult<()> {
    let row = webhook_deliveries::table.find((attempt.subscription_id, attempt.event_id));
    diesel::update(row.filter(webhook_deliveries::attempts.eq(attempt.attempt)))
        .set(webhook_deliveries::next_attempt_at.eq(at))
        .execute(conn)
        .await
        .map(drop)
}

/// Writes what came of an attempt.
pub async fn log(conn: &mut Conn, attempt: &Attempt) -> QueryResult<()> {
    diesel::insert_into(webhook_attempts::table).values(attempt).execute(conn).await.map(drop)
}

/// Up to `limit` attempts of a subscription, the newest first, beginning below the id `after`.
pub async fn attempts(
    conn: &mut Conn,
    subscription_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Attempt>> {
    let mut query =
        webhook_attempts::table.filter(webhook_attempts::subscription_id.eq(subscription_id)).into_boxed();
    if let Some(after) = after {
        query = query.filter(webhook_attempts::id.lt(after));
    }
    query.order(webhook_attempts::id.desc()).limit(limit).select(Attempt::as_select()).load(conn).await
}

/// How many attempts of it are kept.
pub async fn count_attempts(conn: &mut Conn, subscription_id: Uuid) -> QueryResult<i64> {
    let of_it = webhook_attempts::subscription_id.eq(subscription_id);
    webhook_attempts::table.filter(of_it).count().get_result(conn).await
}

/// Removes everything of a subscription that goes.
pub async fn forget_subscription(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    let deliveries = webhook_deliveries::table.filter(webhook_deliveries::subscription_id.eq(id));
    diesel::delete(deliveries).execute(conn).await?;
    let attempts = webhook_attempts::table.filter(webhook_attempts::subscription_id.eq(id));
    diesel::delete(attempts).execute(conn).await.map(drop)
}

/// Forgets attempts and deliveries from before `before`, and what no subscription stands for, some at a time.
pub async fn forget_old(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> QueryResult<usize> {
    let attempts = diesel::sql_query(
        "DELETE FROM webhook_attempts WHERE id IN
           (SELECT id FROM webhook_attempts WHERE at < $1 ORDER BY at LIMIT $2)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await?;
    let deliveries = diesel::sql_query(
        "DELETE FROM webhook_deliveries WHERE (subscription_id, event_id) IN
           (SELECT d.subscription_id, d.event_id FROM webhook_deliveries d
            WHERE d.created_at < $1 OR NOT EXISTS (SELECT FROM subscriptions s WHERE s.id = d.subscription_id)
            LIMIT $2)",
    )
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await?;
    Ok(attempts + deliveries)
}

/// What waits to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, QueryableByName)]
pub struct Pending {
    /// How many deliveries.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// Age of the oldest one, in seconds; 0 without one.
    #[diesel(sql_type = Double)]
    pub oldest_seconds: f64,
}

/// What waits, of subscriptions that are enabled.
pub async fn pending(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<Pending> {
    diesel::sql_query(
        "SELECT count(*) AS count,
                coalesce(extract(epoch FROM $1 - min(d.created_at)), 0)::float8 AS oldest_seconds
         FROM webhook_deliveries d JOIN subscriptions s ON s.id = d.subscription_id AND s.enabled",
    )
    .bind::<Timestamptz, _>(now)
    .get_result(conn)
    .await
}
