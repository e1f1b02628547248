use bhiv_db::Conn;
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::notices;

/// What persons are shown before they agree to a purpose, in one language.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = notices)]
pub struct Notice {
    /// Its id.
    pub id: Uuid,
    /// The purpose that it is about.
    pub purpose: Purpose,
    /// Its version.
    pub version: String,
    /// The language of the text (BCP 47).
    pub language: String,
    /// What is shown.
    pub text: String,
    /// SHA-256 of the text in UTF-8, in hexadecimal digits.
    pub sha256: String,
    /// From when on it can be agreed to.
    pub valid_from: DateTime<Utc>,
    /// Who wrote it.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a new notice, unless it is there in that language; says whether it did.
pub async fn insert(conn: &mut Conn, notice: &Notice) -> QueryResult<bool> {
    let row = diesel::insert_into(notices::table).values(notice);
    Ok(row.on_conflict_do_nothing().execute(conn).await? == 1)
}

/// The notice, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Notice>> {
    notices::table.find(id).select(Notice::as_select()).first(conn).await.optional()
}

/// A version of what is shown about a purpose, in every language.
pub async fn texts(conn: &mut Conn, purpose: &Purpose, version: &str) -> QueryResult<Vec<Notice>> {
    notices::table
        .filter(notices::purpose.eq(purpose).and(notices::version.eq(version)))
        .order(notices::language)
        .select(Notice::as_select())
        .load(conn)
        .await
}

/// Whether a version could be agreed to then.
pub async fn is_valid(
    conn: &mut Conn,
    purpose: &Purpose,
    version: &str,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let named = notices::purpose.eq(purpose).and(notices::version.eq(version));
    let valid = notices::table.filter(named.and(notices::valid_from.le(at)));
    diesel::select(diesel::dsl::exists(valid)).get_result(conn).await
}

/// Which notices a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those about this purpose.
    pub purpose: Option<Purpose>,
    /// Those of this version.
    pub version: Option<String>,
    /// Those in this language.
    pub language: Option<String>,
}

impl Filter {
    fn query(&self) -> notices::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = notices::table.into_boxed();
        if let Some(purpose) = &self.purpose {
            query = query.filter(notices::purpose.eq(purpose.clone()));
        }
        if let Some(version) = &self.version {
            query = query.filter(notices::version.eq(version.clone()));
        }
        if let Some(language) = &self.language {
            query = query.filter(notices::language.eq(language.clone()));
        }
        query
    }
}

/// Up to `limit` notices, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Notice>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(notices::id.lt(after));
    }
    query.order(notices::id.desc()).limit(limit).select(Notice::as_select()).load(conn).await
}

/// How many notices a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
