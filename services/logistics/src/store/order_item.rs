use std::collections::HashMap;

use bhiv_db::Conn;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::OrderId;
use crate::schema::order_items;

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = order_items)]
pub struct OrderItem {
    /// Its number within the order, from 1.
    pub line: i32,
    /// Stock keeping unit, or the product's name.
    pub sku: String,
    /// How many.
    pub quantity: i32,
    /// Price of one, in the order's currency.
    pub price: Decimal,
    /// How many are not there to be promised yet.
    #[serde(default)]
    pub backordered: i32,
    /// How many have left.
    #[serde(default)]
    pub shipped: i32,
    /// How many of those came back.
    #[serde(default)]
    pub returned: i32,
}

impl OrderItem {
    /// How many can leave: those that are promised, or need no stock, and have not left.
    pub fn shippable(&self) -> i32 {
        self.quantity - self.shipped - self.backordered
    }

    /// How many can come back.
    pub fn returnable(&self) -> i32 {
        self.shipped - self.returned
    }
}

/// Writes the items of a new order.
pub async fn insert(conn: &mut Conn, order_id: OrderId, items: &[OrderItem]) -> QueryResult<()> {
    let rows: Vec<_> = items.iter().map(|item| (order_items::order_id.eq(order_id), item)).collect();
    diesel::insert_into(order_items::table).values(rows).execute(conn).await.map(drop)
}

/// The items of an order, in the order of their lines.
pub async fn of(conn: &mut Conn, order_id: OrderId) -> QueryResult<Vec<OrderItem>> {
    let rows = order_items::table.filter(order_items::order_id.eq(order_id));
    rows.order(order_items::line).select(OrderItem::as_select()).load(conn).await
}

/// The items of several orders, each order's in the order of their lines.
pub async fn of_each(
    conn: &mut Conn,
    order_ids: impl IntoIterator<Item = OrderId>,
) -> QueryResult<HashMap<OrderId, Vec<OrderItem>>> {
    let rows: Vec<(OrderId, OrderItem)> = order_items::table
        .filter(order_items::order_id.eq_any(order_ids))
        .order((order_items::order_id, order_items::line))
        .select((order_items::order_id, OrderItem::as_select()))
        .load(conn)
        .await?;
    let mut items: HashMap<_, Vec<_>> = HashMap::new();
    for (order_id, item) in rows {
        items.entry(order_id).or_default().push(item);
    }
    Ok(items)
}

/// Writes how many of a line have left and come back.
pub async fn update(conn: &mut Conn, order_id: OrderId, item: &OrderItem) -> QueryResult<()> {
    let set = (order_items::shipped.eq(item.shipped), order_items::returned.eq(item.returned));
    diesel::update(order_items::table.find((order_id, item.line))).set(set).execute(conn).await.map(drop)
}

/// Writes how many of a line are not there to be promised.
pub async fn set_backordered(
    conn: &mut Conn,
    order_id: OrderId,
    line: i32,
    backordered: i32,
) -> QueryResult<()> {
    let set = order_items::backordered.eq(backordered);
    diesel::update(order_items::table.find((order_id, line))).set(set).execute(conn).await.map(drop)
}

/// No line of the order waits for stock any more.
pub async fn forget_backorders(conn: &mut Conn, order_id: OrderId) -> QueryResult<()> {
    let waiting = order_items::order_id.eq(order_id).and(order_items::backordered.gt(0));
    let rows = order_items::table.filter(waiting);
    diesel::update(rows).set(order_items::backordered.eq(0)).execute(conn).await.map(drop)
}
