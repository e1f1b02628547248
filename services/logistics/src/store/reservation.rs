//! Which stock is promised to which line of an order.

use bhiv_db::Conn;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::ids::{OrderId, StockId};
use crate::schema::{order_items, orders, reservations};

/// So many of a line come from that stock.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = reservations)]
pub struct Reservation {
    /// Of which order.
    pub order_id: OrderId,
    /// Of which line.
    pub line: i32,
    /// From where.
    pub stock_id: StockId,
    /// How many are promised and have not left.
    pub quantity: i32,
    /// How many have left.
    pub shipped: i32,
}

/// A line of an order that waits for stock.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Backorder {
    /// Of which order.
    pub order_id: OrderId,
    /// Which line.
    pub line: i32,
    /// How many are missing.
    pub quantity: i32,
}

/// Writes reservations; what is promised to the same line from the same stock is added.
pub async fn add(conn: &mut Conn, rows: &[Reservation]) -> QueryResult<()> {
    use diesel::upsert::excluded;
    diesel::insert_into(reservations::table)
        .values(rows)
        .on_conflict((reservations::order_id, reservations::line, reservations::stock_id))
        .do_update()
        .set(reservations::quantity.eq(reservations::quantity + excluded(reservations::quantity)))
        .execute(conn)
        .await
        .map(drop)
}

/// The reservations of an order, by line.
pub async fn of(conn: &mut Conn, order_id: OrderId) -> QueryResult<Vec<Reservation>> {
    reservations::table
        .filter(reservations::order_id.eq(order_id))
        .order((reservations::line, reservations::stock_id))
        .select(Reservation::as_select())
        .load(conn)
        .await
}

/// Writes how many are promised and how many have left.
pub async fn update(conn: &mut Conn, row: &Reservation) -> QueryResult<()> {
    let at = reservations::table.find((row.order_id, row.line, row.stock_id));
    let set = (reservations::quantity.eq(row.quantity), reservations::shipped.eq(row.shipped));
    diesel::update(at).set(set).execute(conn).await.map(drop)
}

/// Lines that wait for a product, those of the oldest orders first. Call it with all stock of the product locked: so
/// no order with such a line is cancelled meanwhile.
pub async fn waiting_for(conn: &mut Conn, sku: &str, most: i64) -> QueryResult<Vec<Backorder>> {
    order_items::table
        .inner_join(orders::table.on(orders::id.eq(order_items::order_id)))
        .filter(order_items::sku.eq(sku.to_owned()).and(order_items::backordered.gt(0)))
        .order((order_items::order_id, order_items::line))
        .limit(most)
        .select((order_items::order_id, order_items::line, order_items::backordered))
        .load(conn)
        .await
}
