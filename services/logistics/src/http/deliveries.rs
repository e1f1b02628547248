use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_delivery::CreateDelivery;
use crate::commands::move_delivery::MoveDelivery;
use crate::domain::delivery::{DeliveryMove, DeliveryStatus, NewDelivery};
use crate::domain::ids::{DeliveryId, OrderId};
use crate::domain::tracking_number::TrackingNumber;
use crate::store::delivery::{self, Delivery, Filter};

/// Which deliveries, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDeliveries {
    /// Those of this order, or of one of several.
    #[schema(min_items = 1, max_items = 200)]
    order_id: Option<Vec<OrderId>>,
    /// Those that stand there.
    status: Option<DeliveryStatus>,
    /// The one with this tracking number.
    tracking_number: Option<TrackingNumber>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewDelivery>,
    logistics: Data<Context>,
) -> Result<Created<Delivery>> {
    let delivery = logistics.run(who.origin(), CreateDelivery(new)).await?;
    Ok(Created::at(format!("/logistics/delivery/{}", delivery.id), delivery))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListDeliveries>,
    logistics: Data<Context>,
) -> Result<Json<Page<Delivery>>> {
    let ListDeliveries { order_id, status, tracking_number, limit, cursor } = query;
    let filter = Filter { order_id, status, tracking_number };
    let mut conn = logistics.read().await?;
    let found = delivery::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = delivery::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |delivery| delivery.id.0)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<DeliveryId>,
    logistics: Data<Context>,
) -> Result<Json<Delivery>> {
    let delivery = delivery::find(&mut *logistics.read().await?, id).await?;
    delivery.map(Json).ok_or_else(|| Problem::not_found(format!("delivery/{id}")))
}

pub async fn move_(
    who: Can<LogisticsWrite>,
    Id(id): Id<DeliveryId>,
    Valid(DeliveryMove { status, reason }): Valid<DeliveryMove>,
    logistics: Data<Context>,
) -> Result<Json<Delivery>> {
    Ok(Json(logistics.run(who.origin(), MoveDelivery { id, status, reason }).await?))
}
