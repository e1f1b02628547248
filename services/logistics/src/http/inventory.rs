use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::adjust_stock::AdjustStock;
use crate::commands::create_stock::CreateStock;
use crate::domain::ids::StockId;
use crate::domain::stock::{NewStock, StockChange};
use crate::store::stock::{self, Filter, Stock};

/// Which stock, and how many rows of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListStock {
    /// That of this product.
    product_id: Option<String>,
    /// That at this location.
    location: Option<String>,
    /// `true`: what is at its reorder level or below; `false`: what is above it.
    low: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewStock>,
    logistics: Data<Context>,
) -> Result<Created<Stock>> {
    let stock = logistics.run(who.origin(), CreateStock(new)).await?;
    Ok(Created::at(format!("/logistics/inventory/{}", stock.id), stock))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListStock>,
    logistics: Data<Context>,
) -> Result<Json<Page<Stock>>> {
    let ListStock { product_id, location, low, limit, cursor } = query;
    let filter = Filter { product_id, location, low };
    let mut conn = logistics.read().await?;
    let found = stock::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = stock::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |stock| stock.id.0)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<StockId>,
    logistics: Data<Context>,
) -> Result<Json<Stock>> {
    let stock = stock::find(&mut *logistics.read().await?, id).await?;
    stock.map(Json).ok_or_else(|| Problem::not_found(format!("stock/{id}")))
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<StockId>,
    Valid(change): Valid<StockChange>,
    logistics: Data<Context>,
) -> Result<Json<Stock>> {
    Ok(Json(logistics.run(who.origin(), AdjustStock { id, change }).await?))
}
