use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::saved_searches;

/// A search that somebody saved.
#[derive(
    Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize, ToSchema,
)]
#[diesel(table_name = saved_searches)]
pub struct SavedSearch {
    /// Its id.
    pub id: Uuid,
    /// Who saved it.
    pub owner: String,
    /// What they call it.
    pub name: String,
    /// Its filters, as the query parameters of `GET /logs`.
    pub query: Value,
    /// Whether everybody may use it.
    pub shared: bool,
    /// Counts changes.
    pub version: i64,
    /// When it was saved first.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub changed_at: DateTime<Utc>,
}

/// Those that `owner` may use, by their ids, beginning after one of them.
pub async fn list(
    conn: &mut Conn,
    owner: &str,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<SavedSearch>> {
    saved_searches::table
        .filter(saved_searches::owner.eq(owner).or(saved_searches::shared))
        .filter(saved_searches::id.gt(after.unwrap_or_default()))
        .order(saved_searches::id)
        .limit(limit)
        .select(SavedSearch::as_select())
        .load(conn)
        .await
}

/// How many `owner` may use.
pub async fn count(conn: &mut Conn, owner: &str) -> QueryResult<i64> {
    let theirs = saved_searches::owner.eq(owner).or(saved_searches::shared);
    saved_searches::table.filter(theirs).count().get_result(conn).await
}

/// One of them.
pub async fn find(conn: &mut Conn, owner: &str, id: Uuid) -> QueryResult<Option<SavedSearch>> {
    let theirs = saved_searches::owner.eq(owner).or(saved_searches::shared);
    let search = saved_searches::table.find(id).filter(theirs);
    search.select(SavedSearch::as_select()).first(conn).await.optional()
}

/// One of `owner`'s own, for this transaction to change.
pub async fn lock(conn: &mut Conn, owner: &str, id: Uuid) -> QueryResult<Option<SavedSearch>> {
    let search = saved_searches::table.find(id).filter(saved_searches::owner.eq(owner));
    search.select(SavedSearch::as_select()).for_update().first(conn).await.optional()
}

/// Whether another of the owner's has this name.
pub async fn is_taken(conn: &mut Conn, search: &SavedSearch) -> QueryResult<bool> {
    let same = saved_searches::owner.eq(&search.owner).and(saved_searches::name.eq(&search.name));
    let others = saved_searches::table.filter(same).filter(saved_searches::id.ne(search.id));
    Ok(others.count().get_result::<i64>(conn).await? > 0)
}

/// Saves it.
pub async fn insert(conn: &mut Conn, search: &SavedSearch) -> QueryResult<usize> {
    diesel::insert_into(saved_searches::table).values(search).execute(conn).await
}

/// Changes it.
pub async fn update(conn: &mut Conn, search: &SavedSearch) -> QueryResult<usize> {
    diesel::update(saved_searches::table.find(search.id)).set(search).execute(conn).await
}

/// Takes it away.
pub async fn delete(conn: &mut Conn, id: Uuid) -> QueryResult<usize> {
    diesel::delete(saved_searches::table.find(id)).execute(conn).await
}
