use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::{subscriptions, users};

/// Who is told of which events, and where. Its secret is not part of it.
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
#[diesel(table_name = subscriptions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// Who made it.
    pub owner: String,
    /// Where events are sent.
    pub callback_url: String,
    /// Public names of the events; none: every event that the owner may see.
    pub event_types: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether events are sent.
    pub enabled: bool,
    /// Why they are not: `owner` said so, the receiver is `gone` (410), or it was `failing` for days.
    pub disabled_because: Option<String>,
    /// Since when every attempt failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Whoever wants to be told, and what they are now.
#[derive(Clone, Debug, Queryable)]
pub struct Listener {
    /// The subscription.
    pub id: Uuid,
    /// Public names of the events; none: every event.
    pub event_types: Vec<String>,
    /// What its owner was when it was made.
    roles_then: Vec<String>,
    /// What they are now, if they are a user.
    roles_now: Option<Vec<String>>,
}

impl Listener {
    /// What counts.
    pub fn roles(&self) -> &[String] {
        self.roles_now.as_deref().unwrap_or(&self.roles_then)
    }
}

/// Writes a new subscription of somebody with these roles.
pub async fn insert(
    conn: &mut Conn,
    subscription: &Subscription,
    roles: &[&str],
    secret: &str,
) -> QueryResult<()> {
    let user_id = Uuid::try_parse(&subscription.owner).ok();
    diesel::insert_into(subscriptions::table)
        .values((
            subscription,
            subscriptions::roles.eq(roles),
            subscriptions::user_id.eq(user_id),
            subscriptions::secret.eq(secret),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Lets the transaction that comes next with the same owner wait for this one.
pub async fn lock_owner(conn: &mut Conn, owner: &str) -> QueryResult<()> {
    diesel::sql_query(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.subscriptions.' || $1, 0))",
    )
    .bind::<diesel::sql_types::Text, _>(owner)
    .execute(conn)
    .await
    .map(drop)
}

/// The subscription, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Subscription>> {
    subscriptions::table.find(id).select(Subscription::as_select()).first(conn).await.optional()
}

/// The subscription, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Subscription>> {
    let row = subscriptions::table.find(id).select(Subscription::as_select());
    row.for_update().first(conn).await.optional()
}

/// Writes a subscription that was changed.
pub async fn update(conn: &mut Conn, subscription: &Subscription) -> QueryResult<()> {
    diesel::update(subscription).set(subscription).execute(conn).await.map(drop)
}

/// Gives it a new secret; the one that it had counts until `until`.
pub async fn replace_secret(
    conn: &mut Conn,
    id: Uuid,
    secret: &str,
    until: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(subscriptions::table.find(id))
        .set((
            subscriptions::old_secret.eq(subscriptions::secret.nullable()),
            subscriptions::old_secret_until.eq(until),
            subscriptions::secret.eq(secret),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Removes it.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    diesel::delete(subscriptions::table.find(id)).execute(conn).await.map(drop)
}

/// Notes that an attempt succeeded.
pub async fn succeeds(conn: &mut Conn, id: Uuid) -> QueryResult<()> {
    let failing = subscriptions::table.find(id).filter(subscriptions::failing_since.is_not_null());
    let healed = subscriptions::failing_since.eq(None::<DateTime<Utc>>);
    diesel::update(failing).set(healed).execute(conn).await.map(drop)
}

/// Up to `limit` subscriptions of `owner`, or of everybody, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    owner: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Subscription>> {
    let mut query = subscriptions::table.into_boxed();
    if let Some(owner) = owner {
        query = query.filter(subscriptions::owner.eq(owner));
    }
    if let Some(after) = after {
        query = query.filter(subscriptions::id.lt(after));
    }
    query.order(subscriptions::id.desc()).limit(limit).select(Subscription::as_select()).load(conn).await
}

/// How many subscriptions there are of `owner`, or of everybody.
pub async fn count(conn: &mut Conn, owner: Option<&str>) -> QueryResult<i64> {
    let mut query = subscriptions::table.into_boxed();
    if let Some(owner) = owner {
        query = query.filter(subscriptions::owner.eq(owner));
    }
    query.count().get_result(conn).await
}

/// Everybody who wants to be told of events.
pub async fn listeners(conn: &mut Conn) -> QueryResult<Vec<Listener>> {
    subscriptions::table
        .left_join(users::table.on(subscriptions::user_id.eq(users::id.nullable())))
        .filter(subscriptions::enabled)
        .select((
            subscriptions::id,
            subscriptions::event_types,
            subscriptions::roles,
            users::roles.nullable(),
        ))
        .load(conn)
        .await
}
