use bhiv_db::Conn;
use bhiv_types::Email;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::users;

/// A user.
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
#[diesel(table_name = users, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// What they log in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// Nobody gets to see it.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub password_hash: String,
    /// What they are.
    pub roles: Vec<String>,
    /// The team that they work in.
    #[serde(default)]
    pub team: Option<String>,
    /// Whether they may not log in.
    #[serde(default)]
    pub disabled: bool,
    /// When they registered.
    pub created_at: DateTime<Utc>,
    /// When they were last changed.
    pub updated_at: DateTime<Utc>,
}

/// Writes a new user.
pub async fn insert(conn: &mut Conn, user: &User) -> QueryResult<()> {
    diesel::insert_into(users::table).values(user).execute(conn).await.map(drop)
}

/// The user, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).first(conn).await.optional()
}

/// The user with that address.
pub async fn with_email(conn: &mut Conn, email: &Email) -> QueryResult<Option<User>> {
    users::table.filter(users::email.eq(email)).select(User::as_select()).first(conn).await.optional()
}

/// The user, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).for_update().first(conn).await.optional()
}

/// Writes a user who was changed.
pub async fn update(conn: &mut Conn, user: &User) -> QueryResult<()> {
    diesel::update(user).set(user).execute(conn).await.map(drop)
}

/// Up to `limit` users, the newest first, beginning below the id `after`.
pub async fn list(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<User>> {
    let mut query = users::table.into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.lt(after));
    }
    query.order(users::id.desc()).limit(limit).select(User::as_select()).load(conn).await
}

/// How many users there are.
pub async fn count(conn: &mut Conn) -> QueryResult<i64> {
    users::table.count().get_result(conn).await
}
