use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::schema::{audit_checkpoints, audit_keys};

/// A root of the audit tree that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = audit_checkpoints)]
pub struct AuditCheckpoint {
    /// How many rows the tree had.
    pub size: i64,
    /// The signed note (C2SP `tlog-checkpoint`): whoever keeps it can prove later what was there.
    pub note: String,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
}

/// The largest one.
pub async fn latest(conn: &mut Conn) -> QueryResult<Option<AuditCheckpoint>> {
    let checkpoints = audit_checkpoints::table.order(audit_checkpoints::size.desc());
    checkpoints.select(AuditCheckpoint::as_select()).first(conn).await.optional()
}

/// The first one that has more rows than `size`.
pub async fn first_above(conn: &mut Conn, size: i64) -> QueryResult<Option<AuditCheckpoint>> {
    Ok(list_above(conn, size, i64::MAX, 1).await?.pop())
}

/// Up to `limit` with more rows than `above` and no more than `upto`, the smallest first.
pub async fn list_above(
    conn: &mut Conn,
    above: i64,
    upto: i64,
    limit: i64,
) -> QueryResult<Vec<AuditCheckpoint>> {
    audit_checkpoints::table
        .filter(audit_checkpoints::size.gt(above))
        .filter(audit_checkpoints::size.le(upto))
        .order(audit_checkpoints::size)
        .limit(limit)
        .select(AuditCheckpoint::as_select())
        .load(conn)
        .await
}

/// Up to `limit` with fewer rows than `below`, the largest first.
pub async fn list_below(conn: &mut Conn, below: i64, limit: i64) -> QueryResult<Vec<AuditCheckpoint>> {
    audit_checkpoints::table
        .filter(audit_checkpoints::size.lt(below))
        .order(audit_checkpoints::size.desc())
        .limit(limit)
        .select(AuditCheckpoint::as_select())
        .load(conn)
        .await
}

/// Keeps one.
pub async fn insert(conn: &mut Conn, checkpoint: &AuditCheckpoint) -> QueryResult<usize> {
    diesel::insert_into(audit_checkpoints::table).values(checkpoint).execute(conn).await
}

/// Keeps the public half of a key that signs, once.
pub async fn insert_key(conn: &mut Conn, id: &str, key: &Value, since: DateTime<Utc>) -> QueryResult<usize> {
    let row = (audit_keys::id.eq(id), audit_keys::jwk.eq(key), audit_keys::since.eq(since));
    diesel::insert_into(audit_keys::table).values(row).on_conflict_do_nothing().execute(conn).await
}

/// Public keys that have signed, the newest first.
pub async fn keys(conn: &mut Conn) -> QueryResult<Vec<Value>> {
    audit_keys::table.order(audit_keys::since.desc()).select(audit_keys::jwk).load(conn).await
}
