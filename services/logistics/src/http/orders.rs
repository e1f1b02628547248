use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_types::Priority;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::create_order::CreateOrder;
use crate::commands::move_order::MoveOrder;
use crate::commands::return_order::ReturnOrder;
use crate::commands::ship_order::ShipOrder;
use crate::domain::ids::OrderId;
use crate::domain::order::{NewOrder, NewReturn, NewShipment, OrderMove, OrderStatus};
use crate::store::order::{self, Filter, Order, Sorted};
use crate::store::stock;

/// What orders can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum OrderSort {
    CreatedAt,
    UpdatedAt,
    Total,
}

/// A field, or its reverse.
type OrderOrder = Sort<OrderSort>;

/// Which orders, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOrders {
    /// Those that stand there.
    status: Option<OrderStatus>,
    /// Those of this customer.
    customer_id: Option<String>,
    /// Those that fulfil this opportunity, or one of several.
    #[schema(min_items = 1, max_items = 200)]
    opportunity_id: Option<Vec<Uuid>>,
    /// Those as urgent as that.
    priority: Option<Priority>,
    /// Those that were placed then or later.
    from: Option<DateTime<Utc>>,
    /// Those that were placed before then.
    until: Option<DateTime<Utc>>,
    /// Those with words in the customer's id that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<OrderOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewOrder>,
    logistics: Data<Context>,
) -> Result<Created<Order>> {
    let skus = new.items.iter().map(|item| item.sku.clone()).collect();
    // Orders of what is kept nowhere share their commits, and need not wait for each other.
    let is_kept = stock::is_any_kept(&mut *logistics.read().await?, skus).await?;
    let order = logistics.run(who.origin(), CreateOrder { new, is_kept }).await?;
    Ok(Created::at(format!("/logistics/orders/{}", order.head.id), order))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListOrders>,
    logistics: Data<Context>,
) -> Result<Json<Page<Order>>> {
    let ListOrders { status, customer_id, opportunity_id, priority, from, until, q, sort, limit, cursor } =
        query;
    let filter = Filter { status, customer_id, opportunity_id, priority, from, until, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: OrderSort::CreatedAt, descending: true });
    let sorted = match by {
        OrderSort::CreatedAt => Sorted::CreatedAt(Cursor::place(cursor)?),
        OrderSort::UpdatedAt => Sorted::UpdatedAt(Cursor::place(cursor)?),
        OrderSort::Total => Sorted::Total(Cursor::place(cursor)?),
    };
    let place = |Order { head, .. }: &Order| match by {
        OrderSort::CreatedAt => Cursor::at(&head.created_at, head.id),
        OrderSort::UpdatedAt => Cursor::at(&head.updated_at, head.id),
        OrderSort::Total => Cursor::at(&head.total, head.id),
    };
    let mut conn = logistics.read().await?;
    let total = order::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = order::list(&mut conn, &filter, sorted, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<OrderId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    let mut conn = logistics.read().await?;
    let order = order::find(&mut conn, id).await?;
    let mut order = order.ok_or_else(|| Problem::not_found(format!("order/{id}")))?;
    if let Some(at) = as_of {
        // What was ordered never changes; how much of it has left is that of now.
        let then: Order = history::as_of(&mut conn, &format!("order/{id}"), at).await?;
        order.head = then.head;
    }
    Ok(Json(order))
}

pub async fn move_(
    who: Can<LogisticsWrite>,
    Id(id): Id<OrderId>,
    Valid(OrderMove { status, reason }): Valid<OrderMove>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    Ok(Json(logistics.run(who.origin(), MoveOrder { id, status, reason }).await?))
}

/// An order at a time: what its items were then stands in the history of its creation.
pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<OrderId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("order/{id}"), query).await.map(Json)
}

pub async fn ship(
    who: Can<LogisticsWrite>,
    Id(id): Id<OrderId>,
    Valid(shipment): Valid<NewShipment>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    Ok(Json(logistics.run(who.origin(), ShipOrder { id, shipment }).await?))
}

pub async fn bring_back(
    who: Can<LogisticsWrite>,
    Id(id): Id<OrderId>,
    Valid(what): Valid<NewReturn>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    Ok(Json(logistics.run(who.origin(), ReturnOrder { id, what }).await?))
}

/// The same move of many orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveOrders {
    /// Which.
    ids: Ids,
    /// Where they go.
    change: OrderMove,
}

pub async fn bulk(
    who: Can<LogisticsWrite>,
    Valid(MoveOrders { ids, change }): Valid<MoveOrders>,
    logistics: Data<Context>,
) -> Result<Json<Bulk>> {
    let OrderMove { status, reason } = change;
    let command = |id| (id, MoveOrder { id: OrderId(id), status, reason: reason.clone() });
    Ok(Json(logistics.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}
