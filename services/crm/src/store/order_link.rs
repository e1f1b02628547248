//! What orders belong to.

use bhiv_db::Conn;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::{activities, order_links};

/// Locks what is known of an order until the end of the transaction: whoever links it and whoever notes something
/// about it come one after the other. Answers what it belongs to, if that is known.
pub async fn lock(conn: &mut Conn, order_id: Uuid) -> QueryResult<Option<String>> {
    let row = order_links::order_id.eq(order_id);
    diesel::insert_into(order_links::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    order_links::table.find(order_id).select(order_links::entity).for_update().first(conn).await
}

/// Links an order, and moves to what it belongs to whatever was noted about it before.
pub async fn link(conn: &mut Conn, order_id: Uuid, entity: &str) -> QueryResult<()> {
    let row = order_links::table.find(order_id);
    diesel::update(row).set(order_links::entity.eq(entity)).execute(conn).await?;
    let early = activities::table.filter(activities::entity.eq(format!("order/{order_id}")));
    diesel::update(early).set(activities::entity.eq(entity)).execute(conn).await.map(drop)
}
