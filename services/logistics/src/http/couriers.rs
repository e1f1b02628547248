use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_courier::CreateCourier;
use crate::commands::patch_courier::PatchCourier;
use crate::domain::courier::{CourierChange, NewCourier};
use crate::domain::ids::CourierId;
use crate::store::courier::{self, Courier, Filter, Order};

/// What couriers can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum CourierSort {
    CreatedAt,
    Name,
}

/// A field, or its reverse.
type CourierOrder = Sort<CourierSort>;

/// Which couriers, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCouriers {
    /// Those who are planned, or are not.
    active: Option<bool>,
    /// Those with words in their name that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<CourierOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewCourier>,
    logistics: Data<Context>,
) -> Result<Created<Courier>> {
    let courier = logistics.run(who.origin(), CreateCourier(new)).await?;
    Ok(Created::at(format!("/logistics/couriers/{}", courier.id), courier))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListCouriers>,
    logistics: Data<Context>,
) -> Result<Json<Page<Courier>>> {
    let ListCouriers { active, q, sort, limit, cursor } = query;
    let filter = Filter { active, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: CourierSort::CreatedAt, descending: true });
    let order = match by {
        CourierSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        CourierSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |courier: &Courier| match by {
        CourierSort::CreatedAt => Cursor::at(&courier.created_at, courier.id),
        CourierSort::Name => Cursor::at(&courier.name, courier.id),
    };
    let mut conn = logistics.read().await?;
    let total = courier::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = courier::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<CourierId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Courier>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("courier/{id}"), at).await.map(Json);
    }
    let courier = courier::find(&mut conn, id).await?;
    courier.map(Json).ok_or_else(|| Problem::not_found(format!("courier/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<CourierId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("courier/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<CourierId>,
    Valid(change): Valid<CourierChange>,
    logistics: Data<Context>,
) -> Result<Json<Courier>> {
    Ok(Json(logistics.run(who.origin(), PatchCourier { id, change }).await?))
}
