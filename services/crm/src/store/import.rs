//! Imports and their rows.

use bhiv_auth::Reach;
use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::LeadId;
use crate::domain::import::{ImportStatus, OnError, RowOutcome};
use crate::domain::owner::Owner;
use crate::schema::{import_rows, imports, lead_keys};

/// A file of leads, and how far it is.
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
#[diesel(table_name = imports, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Import {
    /// Its id.
    pub id: Uuid,
    /// How far it is.
    pub status: ImportStatus,
    /// What happens when a row is bad.
    pub on_error: OnError,
    /// Who brought it.
    pub actor: String,
    /// Whose the new leads are, unless a row says otherwise; null is nobody.
    #[schema(value_type = Option<String>)]
    pub owner: Owner,
    /// Which team's they are.
    pub team: Option<String>,
    /// Whether whoever brought it sees all leads.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub sees_all: bool,
    /// How many rows there are, as far as they have come.
    pub rows: i32,
    /// How many of them cannot be imported.
    pub refused: i32,
    /// How many became leads.
    pub created: i32,
    /// How many changed leads that were imported before.
    pub updated: i32,
    /// How many are what the leads are already.
    pub unchanged: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it last went on.
    pub updated_at: DateTime<Utc>,
}

/// A row of an import.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = import_rows, treat_none_as_default_value = false)]
pub struct ImportRow {
    pub import_id: Uuid,
    pub line: i32,
    pub key: Option<String>,
    pub data: Option<Value>,
    pub outcome: RowOutcome,
    pub faults: Option<Value>,
    pub lead_id: Option<LeadId>,
}

/// Writes a new import.
pub async fn insert(conn: &mut Conn, import: &Import) -> QueryResult<()> {
    diesel::insert_into(imports::table).values(import).execute(conn).await.map(drop)
}

/// Writes how far an import is.
pub async fn update(conn: &mut Conn, import: &Import) -> QueryResult<()> {
    diesel::update(import).set(import).execute(conn).await.map(drop)
}

/// The import, if there is one.
pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Import>> {
    imports::table.find(id).select(Import::as_select()).first(conn).await.optional()
}

/// The import, locked; none if somebody else works on it.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Import>> {
    let row = imports::table.find(id).select(Import::as_select());
    row.for_update().skip_locked().first(conn).await.optional()
}

/// Imports whose rows are to become leads, the oldest first.
pub async fn under_way(conn: &mut Conn) -> QueryResult<Vec<Import>> {
    let rows = imports::table.filter(imports::status.eq(ImportStatus::Importing));
    rows.order(imports::id).select(Import::as_select()).load(conn).await
}

/// Up to `limit` imports that somebody may see, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    reach: &Reach,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Import>> {
    let mut query = within!(imports::table.into_boxed(), imports, reach);
    if let Some(after) = after {
        query = query.filter(imports::id.lt(after));
    }
    query.order(imports::id.desc()).limit(limit).select(Import::as_select()).load(conn).await
}

/// How many imports they see.
pub async fn count(conn: &mut Conn, reach: &Reach) -> QueryResult<i64> {
    within!(imports::table.into_boxed(), imports, reach).count().get_result(conn).await
}

/// Writes rows that have come.
pub async fn insert_rows(conn: &mut Conn, rows: &[ImportRow]) -> QueryResult<()> {
    diesel::insert_into(import_rows::table).values(rows).execute(conn).await.map(drop)
}

/// The next rows that are to become leads.
pub async fn pending(conn: &mut Conn, import_id: Uuid, limit: i64) -> QueryResult<Vec<ImportRow>> {
    import_rows::table
        .filter(import_rows::import_id.eq(import_id).and(import_rows::outcome.eq(RowOutcome::Pending)))
        .order(import_rows::line)
        .limit(limit)
        .select(ImportRow::as_select())
        .load(conn)
        .await
}

/// Writes what became of a row; what it said is not kept.
pub async fn settle(conn: &mut Conn, row: &ImportRow) -> QueryResult<()> {
    let at = import_rows::table.find((row.import_id, row.line));
    let set = (
        import_rows::outcome.eq(row.outcome),
        import_rows::faults.eq(row.faults.clone()),
        import_rows::lead_id.eq(row.lead_id),
        import_rows::data.eq(None::<Value>),
    );
    diesel::update(at).set(set).execute(conn).await.map(drop)
}

/// What the rows of an import that is over said is not kept.
pub async fn forget(conn: &mut Conn, import_id: Uuid) -> QueryResult<()> {
    let rows = import_rows::table.filter(import_rows::import_id.eq(import_id));
    let rows = rows.filter(import_rows::data.is_not_null());
    diesel::update(rows).set(import_rows::data.eq(None::<Value>)).execute(conn).await.map(drop)
}

/// Up to `limit` rows of an import, by line, beginning after a line.
pub async fn rows(
    conn: &mut Conn,
    import_id: Uuid,
    outcome: Option<RowOutcome>,
    after: Option<i32>,
    limit: i64,
) -> QueryResult<Vec<ImportRow>> {
    let mut query = import_rows::table.filter(import_rows::import_id.eq(import_id)).into_boxed();
    if let Some(outcome) = outcome {
        query = query.filter(import_rows::outcome.eq(outcome));
    }
    if let Some(after) = after {
        query = query.filter(import_rows::line.gt(after));
    }
    query.order(import_rows::line).limit(limit).select(ImportRow::as_select()).load(conn).await
}

/// How many rows an import has.
pub async fn count_rows(conn: &mut Conn, import_id: Uuid, outcome: Option<RowOutcome>) -> QueryResult<i64> {
    let mut query = import_rows::table.filter(import_rows::import_id.eq(import_id)).into_boxed();
    if let Some(outcome) = outcome {
        query = query.filter(import_rows::outcome.eq(outcome));
    }
    query.count().get_result(conn).await
}

/// The lead that imports call so.
pub async fn lead_of(conn: &mut Conn, key: &str) -> QueryResult<Option<LeadId>> {
    lead_keys::table.find(key.to_owned()).select(lead_keys::lead_id).first(conn).await.optional()
}

/// Imports call this lead so.
pub async fn name_lead(conn: &mut Conn, key: &str, lead_id: LeadId) -> QueryResult<()> {
    let row = (lead_keys::key.eq(key.to_owned()), lead_keys::lead_id.eq(lead_id));
    diesel::insert_into(lead_keys::table).values(row).execute(conn).await.map(drop)
}
