use bhiv_db::Conn;
use bhiv_types::{Currency, Priority};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::order_item::{self, OrderItem};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::schema::orders;

/// An order without its items: all of it that ever changes.
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
#[diesel(table_name = orders, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct OrderHead {
    /// Its id.
    pub id: OrderId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// The opportunity that it fulfils.
    pub opportunity_id: Option<Uuid>,
    /// Who ordered.
    pub customer_id: String,
    /// Sum over the items, in `currency`.
    pub total: Decimal,
    /// ISO 4217 code.
    pub currency: Currency,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it stands there, when it is known.
    pub status_reason: Option<String>,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// What it is apart from its items.
    #[serde(flatten)]
    pub head: OrderHead,
    /// What was ordered.
    pub items: Vec<OrderItem>,
}

/// Which orders a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that stand there.
    pub status: Option<OrderStatus>,
    /// Those of this customer.
    pub customer_id: Option<String>,
    /// Those that fulfil one of these opportunities.
    pub opportunity_id: Option<Vec<Uuid>>,
}

impl Filter {
    fn query(&self) -> orders::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = orders::table.into_boxed();
        if let Some(status) = self.status {
            query = query.filter(orders::status.eq(status));
        }
        if let Some(customer_id) = &self.customer_id {
            query = query.filter(orders::customer_id.eq(customer_id.clone()));
        }
        if let Some(opportunity_id) = &self.opportunity_id {
            query = query.filter(orders::opportunity_id.eq_any(opportunity_id.clone()));
        }
        query
    }
}

/// Writes a new order and its items.
pub async fn insert(conn: &mut Conn, order: &Order) -> QueryResult<()> {
    diesel::insert_into(orders::table).values(&order.head).execute(conn).await?;
    order_item::insert(conn, order.head.id, &order.items).await
}

/// The order, if there is one.
pub async fn find(conn: &mut Conn, id: OrderId) -> QueryResult<Option<Order>> {
    let head = orders::table.find(id).select(OrderHead::as_select()).first(conn).await.optional()?;
    let Some(head) = head else { return Ok(None) };
    let items = order_item::of(conn, id).await?;
    Ok(Some(Order { head, items }))
}

/// The order, locked until the end of the transaction. Who changes an order and its delivery locks the order
/// first.
pub async fn lock(conn: &mut Conn, id: OrderId) -> QueryResult<Option<OrderHead>> {
    orders::table.find(id).select(OrderHead::as_select()).for_update().first(conn).await.optional()
}

/// Writes an order that was changed.
pub async fn update(conn: &mut Conn, order: &OrderHead) -> QueryResult<()> {
    diesel::update(order).set(order).execute(conn).await.map(drop)
}

/// Up to `limit` orders, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(orders::id.lt(OrderId(after)));
    }
    let query = query.order(orders::id.desc()).limit(limit).select(OrderHead::as_select());
    let heads: Vec<OrderHead> = query.load(conn).await?;
    let mut items = order_item::of_each(conn, heads.iter().map(|head| head.id)).await?;
    let orders = heads.into_iter().map(|head| {
        let items = items.remove(&head.id).unwrap_or_default();
        Order { head, items }
    });
    Ok(orders.collect())
}

/// How many orders a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
