//! What is still to be shipped, and by whom.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::ids::EntryId;
use crate::schema::{shipping_lease, shipping_refused, shipping_waiting};

/// The one lease.
const NAME: &str = "elasticsearch";

/// These are to be shipped.
pub async fn wait(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<usize> {
    let rows: Vec<_> = ids.iter().map(|id| shipping_waiting::entry_id.eq(*id)).collect();
    diesel::insert_into(shipping_waiting::table).values(rows).on_conflict_do_nothing().execute(conn).await
}

/// Up to `limit` that are to be shipped, the oldest first.
pub async fn waiting(conn: &mut Conn, limit: i64) -> QueryResult<Vec<EntryId>> {
    let ids = shipping_waiting::table.select(shipping_waiting::entry_id).order(shipping_waiting::entry_id);
    ids.limit(limit).load(conn).await
}

/// These need not be shipped any more.
pub async fn shipped(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<usize> {
    diesel::delete(shipping_waiting::table.filter(shipping_waiting::entry_id.eq_any(ids))).execute(conn).await
}

/// Keeps why one was not taken.
pub async fn refuse(conn: &mut Conn, id: EntryId, reason: &str, now: DateTime<Utc>) -> QueryResult<usize> {
    let row = (
        shipping_refused::entry_id.eq(id),
        shipping_refused::reason.eq(reason),
        shipping_refused::refused_at.eq(now),
    );
    diesel::insert_into(shipping_refused::table).values(row).on_conflict_do_nothing().execute(conn).await
}

/// Makes `holder` the one who ships until `until`, unless another one is at `now`; answers whether it is.
pub async fn lease(
    conn: &mut Conn,
    holder: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> QueryResult<bool> {
    let free = shipping_lease::until.le(now).or(shipping_lease::holder.eq(holder));
    let lease = shipping_lease::table.filter(shipping_lease::name.eq(NAME)).filter(free);
    let changes = (shipping_lease::holder.eq(holder), shipping_lease::until.eq(until));
    Ok(diesel::update(lease).set(changes).execute(conn).await? == 1)
}
