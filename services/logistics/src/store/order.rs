use bhiv_db::{Conn, keyset, words};
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
    #[serde(default)]
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
    /// Those as urgent as that.
    pub priority: Option<Priority>,
    /// Those that were placed then or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that were placed before then.
    pub until: Option<DateTime<Utc>>,
    /// Those with words in the customer's id that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<OrderId>>,
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
        if let Some(priority) = self.priority {
            query = query.filter(orders::priority.eq(priority));
        }
        if let Some(from) = self.from {
            query = query.filter(orders::created_at.ge(from));
        }
        if let Some(until) = self.until {
            query = query.filter(orders::created_at.lt(until));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(orders, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(orders::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, orders);

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

/// The order without its items, if there is one.
pub async fn find_head(conn: &mut Conn, id: OrderId) -> QueryResult<Option<OrderHead>> {
    orders::table.find(id).select(OrderHead::as_select()).first(conn).await.optional()
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

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Sorted {
    /// By when they were placed.
    CreatedAt(Option<(DateTime<Utc>, OrderId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, OrderId)>),
    /// By what they cost, whatever the currency.
    Total(Option<(Decimal, OrderId)>),
}

/// Up to `limit` orders in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    sorted: Sorted,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let query = filter.query();
    let query = match sorted {
        Sorted::CreatedAt(after) => keyset!(query, orders::created_at, orders::id, descending, after),
        Sorted::UpdatedAt(after) => keyset!(query, orders::updated_at, orders::id, descending, after),
        Sorted::Total(after) => keyset!(query, orders::total, orders::id, descending, after),
    };
    let query = query.limit(limit).select(OrderHead::as_select());
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
