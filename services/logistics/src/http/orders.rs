use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::create_order::CreateOrder;
use crate::commands::move_order::MoveOrder;
use crate::domain::ids::OrderId;
use crate::domain::order::{NewOrder, OrderMove, OrderStatus};
use crate::store::order::{self, Filter, Order};

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
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewOrder>,
    logistics: Data<Context>,
) -> Result<Created<Order>> {
    let order = logistics.run(who.origin(), CreateOrder(new)).await?;
    Ok(Created::at(format!("/logistics/orders/{}", order.head.id), order))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListOrders>,
    logistics: Data<Context>,
) -> Result<Json<Page<Order>>> {
    let ListOrders { status, customer_id, opportunity_id, limit, cursor } = query;
    let filter = Filter { status, customer_id, opportunity_id };
    let mut conn = logistics.read().await?;
    let found = order::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = order::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |order| order.head.id.0)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<OrderId>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    let order = order::find(&mut *logistics.read().await?, id).await?;
    order.map(Json).ok_or_else(|| Problem::not_found(format!("order/{id}")))
}

pub async fn move_(
    who: Can<LogisticsWrite>,
    Id(id): Id<OrderId>,
    Valid(OrderMove { status, reason }): Valid<OrderMove>,
    logistics: Data<Context>,
) -> Result<Json<Order>> {
    Ok(Json(logistics.run(who.origin(), MoveOrder { id, status, reason }).await?))
}
