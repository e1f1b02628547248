use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::{api_keys, subscriptions, users};

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
#[derive(Clone, Debug, QueryableByName)]
pub struct Listener {
    /// The subscription.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Public names of the events; none: every event.
    #[diesel(sql_type = Array<Text>)]
    pub event_types: Vec<String>,
    /// Their roles.
    #[diesel(sql_type = Array<Text>)]
    pub roles: Vec<String>,
    /// Permissions, if they have less than their roles allow.
    #[diesel(sql_type = Nullable<Array<Text>>)]
    pub scope: Option<Vec<String>>,
}

/// The roles of the owner of the subscription `s` at `$1`: those of the user, none if they are disabled or their key
/// has ended.
pub const ROLES_NOW: &str = "CASE WHEN s.user_id IS NULL THEN s.roles ELSE coalesce(
      (SELECT u.roles FROM users u WHERE u.id = s.user_id AND NOT u.disabled
         AND (s.key_id IS NULL OR EXISTS (SELECT FROM api_keys k WHERE k.id = s.key_id AND k.revoked_at IS NULL
                                            AND coalesce(k.expires_at > $1, true)))), '{}') END";

/// Who makes a subscription, as far as it counts later.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Their id; that of a key is `key/<id>`.
    pub id: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// Permissions, if they have less than their roles allow.
    pub scope: Option<Vec<String>>,
    /// The team that they work in.
    pub team: Option<String>,
}

/// Writes a new subscription.
pub async fn insert(
    conn: &mut Conn,
    subscription: &Subscription,
    owner: &Owner,
    secret: &str,
) -> QueryResult<()> {
    let key_id = owner.id.strip_prefix("key/").and_then(|id| Uuid::try_parse(id).ok());
    let user_id: Option<Uuid> = match (key_id, Uuid::try_parse(&owner.id)) {
        (Some(key_id), _) => {
            api_keys::table.find(key_id).select(api_keys::user_id).first(conn).await.optional()?
        }
        (None, Ok(id)) => users::table.find(id).select(users::id).first(conn).await.optional()?,
        (None, Err(_)) => None,
    };
    diesel::insert_into(subscriptions::table)
        .values((
            subscription,
            subscriptions::roles.eq(&owner.roles),
            subscriptions::scope.eq(&owner.scope),
            subscriptions::team.eq(&owner.team),
            subscriptions::user_id.eq(user_id),
            subscriptions::key_id.eq(key_id),
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
    .bind::<Text, _>(owner)
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

/// Everybody who wants to be told of events at `now`.
pub async fn listeners(conn: &mut Conn, now: DateTime<Utc>) -> QueryResult<Vec<Listener>> {
    diesel::sql_query(format!(
        "SELECT s.id, s.event_types, s.scope, {ROLES_NOW} AS roles FROM subscriptions s WHERE s.enabled"
    ))
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await
}
