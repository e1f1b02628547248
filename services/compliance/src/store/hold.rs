use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::legal_holds;

/// A person who may not be erased until it is released.
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
#[diesel(table_name = legal_holds, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// Who, for example `lead/0190...`.
    pub subject: String,
    /// Why, in words.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who released it.
    pub released_by: Option<String>,
    /// When; null while it stands.
    pub released_at: Option<DateTime<Utc>>,
}

/// Writes a new hold.
pub async fn insert(conn: &mut Conn, hold: &Hold) -> QueryResult<()> {
    diesel::insert_into(legal_holds::table).values(hold).execute(conn).await.map(drop)
}

/// Writes a hold that was released.
pub async fn update(conn: &mut Conn, hold: &Hold) -> QueryResult<()> {
    diesel::update(hold).set(hold).execute(conn).await.map(drop)
}

/// The hold, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Hold>> {
    legal_holds::table.find(id).select(Hold::as_select()).for_update().first(conn).await.optional()
}

/// The hold, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Hold>> {
    legal_holds::table.find(id).select(Hold::as_select()).first(conn).await.optional()
}

/// A hold that stands on one of `names`, in capitals or not, if one does.
pub async fn standing(conn: &mut Conn, names: &[String]) -> QueryResult<Option<Hold>> {
    let is_one_of = sql::<Bool>("lower(subject) IN (SELECT lower(it) FROM unnest(")
        .bind::<Array<Text>, _>(names)
        .sql(") AS it)");
    legal_holds::table
        .filter(is_one_of.and(legal_holds::released_at.is_null()))
        .order(legal_holds::id)
        .select(Hold::as_select())
        .first(conn)
        .await
        .optional()
}

/// Which holds a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those on this person.
    pub subject: Option<String>,
    /// Those that stand, or those that were released.
    pub standing: Option<bool>,
}

impl Filter {
    fn query(&self) -> legal_holds::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = legal_holds::table.into_boxed();
        if let Some(subject) = &self.subject {
            query = query.filter(legal_holds::subject.eq(subject.clone()));
        }
        match self.standing {
            Some(true) => query.filter(legal_holds::released_at.is_null()),
            Some(false) => query.filter(legal_holds::released_at.is_not_null()),
            None => query,
        }
    }
}

/// Up to `limit` holds, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Hold>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(legal_holds::id.lt(after));
    }
    query.order(legal_holds::id.desc()).limit(limit).select(Hold::as_select()).load(conn).await
}

/// How many holds a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
