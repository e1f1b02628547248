use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::kind::LogKind;
use crate::schema::retention;

/// How long one kind of entries is kept.
#[derive(
    Clone, Debug, PartialEq, Eq, Queryable, Selectable, AsChangeset, Serialize, Deserialize, ToSchema,
)]
#[diesel(table_name = retention, treat_none_as_null = true)]
pub struct Retention {
    /// Events or audit rows.
    pub kind: LogKind,
    /// Days after the end of its month, after which a month of them is dropped; null: never.
    pub days: Option<i32>,
    /// Whether nothing of it may be dropped, whatever `days` says.
    pub legal_hold: bool,
    /// Why it is so.
    pub reason: Option<String>,
    /// Counts changes.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: DateTime<Utc>,
    /// Who changed it last.
    pub changed_by: String,
}

/// That of each kind.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<Retention>> {
    retention::table.order(retention::kind).select(Retention::as_select()).load(conn).await
}

/// That of one kind, for this transaction to change.
pub async fn lock(conn: &mut Conn, kind: LogKind) -> QueryResult<Retention> {
    retention::table.find(kind).select(Retention::as_select()).for_update().first(conn).await
}

/// Changes it.
pub async fn update(conn: &mut Conn, changed: &Retention) -> QueryResult<usize> {
    diesel::update(retention::table.find(changed.kind)).set(changed).execute(conn).await
}
