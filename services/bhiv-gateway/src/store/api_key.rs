use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::{api_keys, users};

/// A key of a machine, without the key.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What it is for.
    pub name: String,
    /// Its first letters.
    pub hint: String,
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub hash: Vec<u8>,
    /// What it may be used for; at most what its owner may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What a key stands for.
#[derive(Debug, Queryable)]
pub struct Bearer {
    /// The key.
    pub id: Uuid,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its owner.
    pub user_id: Uuid,
    /// What its owner is.
    pub roles: Vec<String>,
    /// The team that its owner works in.
    pub team: Option<String>,
}

/// Writes a new key.
pub async fn insert(conn: &mut Conn, key: &ApiKeyRow) -> QueryResult<()> {
    diesel::insert_into(api_keys::table).values(key).execute(conn).await.map(drop)
}

/// Up to `limit` keys of a user, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    user_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<ApiKeyRow>> {
    let mut query = api_keys::table.filter(api_keys::user_id.eq(user_id)).into_boxed();
    if let Some(after) = after {
        query = query.filter(api_keys::id.lt(after));
    }
    query.order(api_keys::id.desc()).limit(limit).select(ApiKeyRow::as_select()).load(conn).await
}

/// How many keys a user has.
pub async fn count(conn: &mut Conn, user_id: Uuid) -> QueryResult<i64> {
    api_keys::table.filter(api_keys::user_id.eq(user_id)).count().get_result(conn).await
}

/// The key, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<ApiKeyRow>> {
    api_keys::table.find(id).select(ApiKeyRow::as_select()).for_update().first(conn).await.optional()
}

/// The key is of no use any more.
pub async fn revoke(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(api_keys::table.find(id)).set(api_keys::revoked_at.eq(now)).execute(conn).await.map(drop)
}

/// What the key with that hash stands for, unless it is of no use at `now`.
pub async fn bearer(conn: &mut Conn, hash: &[u8], now: DateTime<Utc>) -> QueryResult<Option<Bearer>> {
    api_keys::table
        .inner_join(users::table.on(users::id.eq(api_keys::user_id)))
        .filter(api_keys::hash.eq(hash))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)))
        .filter(users::disabled.eq(false))
        .select((
            api_keys::id,
            api_keys::scopes,
            api_keys::expires_at,
            api_keys::user_id,
            users::roles,
            users::team,
        ))
        .first(conn)
        .await
        .optional()
}

/// Notes that a key was used, at most once a minute.
pub async fn used(conn: &mut Conn, id: Uuid, now: DateTime<Utc>) -> QueryResult<()> {
    let minute_ago = now - chrono::TimeDelta::minutes(1);
    let stale = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(minute_ago));
    diesel::update(api_keys::table.find(id).filter(stale))
        .set(api_keys::last_used_at.eq(now))
        .execute(conn)
        .await
        .map(drop)
}

/// Ids of the keys of a user that can be used.
pub async fn of_user(conn: &mut Conn, user_id: Uuid) -> QueryResult<Vec<Uuid>> {
    api_keys::table
        .filter(api_keys::user_id.eq(user_id))
        .filter(api_keys::revoked_at.is_null())
        .select(api_keys::id)
        .load(conn)
        .await
}
