use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_delivery::CreateDelivery;
use crate::commands::move_delivery::MoveDelivery;
use crate::commands::patch_delivery::PatchDelivery;
use crate::domain::delivery::{DeliveryChange, DeliveryMove, DeliveryStatus, NewDelivery};
use crate::domain::ids::{CourierId, DeliveryId, OrderId};
use crate::domain::tracking_number::TrackingNumber;
use crate::store::delivery::{self, Delivery, Filter, Order};

/// What deliveries can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum DeliverySort {
    CreatedAt,
    DeliveryDate,
}

/// A field, or its reverse.
type DeliveryOrder = Sort<DeliverySort>;

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
    /// Those that this courier brings.
    courier_id: Option<CourierId>,
    /// Those promised for that day or later.
    from: Option<NaiveDate>,
    /// Those promised for a day before that.
    until: Option<NaiveDate>,
    /// Those with words in tracking number or address that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<DeliveryOrder>,
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
    let ListDeliveries { order_id, status, tracking_number, courier_id, from, until, q, sort, limit, cursor } =
        query;
    let filter = Filter { order_id, status, tracking_number, courier_id, from, until, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: DeliverySort::CreatedAt, descending: true });
    let order = match by {
        DeliverySort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        DeliverySort::DeliveryDate => Order::DeliveryDate(Cursor::place(cursor)?),
    };
    let place = |delivery: &Delivery| match by {
        DeliverySort::CreatedAt => Cursor::at(&delivery.created_at, delivery.id),
        DeliverySort::DeliveryDate => Cursor::at(&delivery.delivery_date, delivery.id),
    };
    let mut conn = logistics.read().await?;
    let total = delivery::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = delivery::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<DeliveryId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Delivery>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("delivery/{id}"), at).await.map(Json);
    }
    let delivery = delivery::find(&mut conn, id).await?;
    delivery.map(Json).ok_or_else(|| Problem::not_found(format!("delivery/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<DeliveryId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("delivery/{id}"), query).await.map(Json)
}

pub async fn move_(
    who: Can<LogisticsWrite>,
    Id(id): Id<DeliveryId>,
    Valid(DeliveryMove { status, reason }): Valid<DeliveryMove>,
    logistics: Data<Context>,
) -> Result<Json<Delivery>> {
    Ok(Json(logistics.run(who.origin(), MoveDelivery { id, status, reason }).await?))
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<DeliveryId>,
    Valid(change): Valid<DeliveryChange>,
    logistics: Data<Context>,
) -> Result<Json<Delivery>> {
    Ok(Json(logistics.run(who.origin(), PatchDelivery { id, change }).await?))
}
