use bhiv_db::Conn;
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::purpose::{LawfulBasis, Words};
use crate::schema::purposes;

/// What data about persons may be used for, in one of its versions.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = purposes, treat_none_as_default_value = false)]
pub struct PurposeRecord {
    /// Its id, a word that consents name.
    pub id: Purpose,
    /// Grows by one with each change.
    pub version: i64,
    /// What it is called.
    pub name: String,
    /// What it is, in plain words.
    pub description: String,
    /// Why data may be used for it.
    pub lawful_basis: LawfulBasis,
    /// Which data about a person it needs.
    pub data_categories: Words,
    /// Who else gets it.
    pub recipients: Words,
    /// How many days a consent to it holds, unless it says otherwise; null for ever.
    pub valid_days: Option<i32>,
    /// Whether it can be agreed to.
    pub enabled: bool,
    /// Who made this version.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Lets one transaction at a time make versions of it.
pub async fn lock(conn: &mut Conn, id: &Purpose) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(format!("compliance.purpose {id}"))
        .execute(conn)
        .await
        .map(drop)
}

/// Writes a new version.
pub async fn insert(conn: &mut Conn, purpose: &PurposeRecord) -> QueryResult<()> {
    diesel::insert_into(purposes::table).values(purpose).execute(conn).await.map(drop)
}

/// The purpose as it is, if there is one.
pub async fn find(conn: &mut Conn, id: &Purpose) -> QueryResult<Option<PurposeRecord>> {
    purposes::table
        .filter(purposes::id.eq(id))
        .order(purposes::version.desc())
        .select(PurposeRecord::as_select())
        .first(conn)
        .await
        .optional()
}

/// Its versions, the newest first.
pub async fn versions(conn: &mut Conn, id: &Purpose) -> QueryResult<Vec<PurposeRecord>> {
    purposes::table
        .filter(purposes::id.eq(id))
        .order(purposes::version.desc())
        .select(PurposeRecord::as_select())
        .load(conn)
        .await
}

/// The purpose as it was in that version; without one, as it was first.
pub async fn at(conn: &mut Conn, id: &Purpose, version: Option<i64>) -> QueryResult<Option<PurposeRecord>> {
    let version = version.unwrap_or(1);
    purposes::table.find((id, version)).select(PurposeRecord::as_select()).first(conn).await.optional()
}

/// Every purpose as it is, by id.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<PurposeRecord>> {
    purposes::table
        .distinct_on(purposes::id)
        .order((purposes::id, purposes::version.desc()))
        .select(PurposeRecord::as_select())
        .load(conn)
        .await
}
