use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::adjust_stock::AdjustStock;
use crate::commands::create_stock::CreateStock;
use crate::commands::transfer_stock::TransferStock;
use crate::domain::ids::StockId;
use crate::domain::movement::MovementKind;
use crate::domain::stock::{NewStock, NewTransfer, StockChange};
use crate::store::movement::{self, Movement};
use crate::store::stock::{self, Filter, Order, Stock};

/// What stock can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum StockSort {
    CreatedAt,
    Available,
    ProductId,
}

/// A field, or its reverse.
type StockOrder = Sort<StockSort>;

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
    /// That with words in product or location that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<StockOrder>,
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
    let ListStock { product_id, location, low, q, sort, limit, cursor } = query;
    let filter = Filter { product_id, location, low, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: StockSort::CreatedAt, descending: true });
    let order = match by {
        StockSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        StockSort::Available => Order::Available(Cursor::place(cursor)?),
        StockSort::ProductId => Order::ProductId(Cursor::place(cursor)?),
    };
    let place = |stock: &Stock| match by {
        StockSort::CreatedAt => Cursor::at(&stock.created_at, stock.id),
        StockSort::Available => Cursor::at(&stock.available, stock.id),
        StockSort::ProductId => Cursor::at(&stock.product_id, stock.id),
    };
    let mut conn = logistics.read().await?;
    let total = stock::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = stock::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<StockId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Stock>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("stock/{id}"), at).await.map(Json);
    }
    let stock = stock::find(&mut conn, id).await?;
    stock.map(Json).ok_or_else(|| Problem::not_found(format!("stock/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<StockId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("stock/{id}"), query).await.map(Json)
}

pub async fn transfer(
    who: Can<LogisticsWrite>,
    Id(id): Id<StockId>,
    Valid(transfer): Valid<NewTransfer>,
    logistics: Data<Context>,
) -> Result<Json<Stock>> {
    Ok(Json(logistics.run(who.origin(), TransferStock { id, transfer }).await?))
}

/// Which movements, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMovements {
    /// Those of this stock.
    stock_id: Option<StockId>,
    /// Those of this kind.
    kind: Option<MovementKind>,
    /// Those that were for this, for example `order/0190...`.
    #[schema(min_length = 1, max_length = 100)]
    reference: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn movements(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListMovements>,
    logistics: Data<Context>,
) -> Result<Json<Page<Movement>>> {
    let ListMovements { stock_id, kind, reference, limit, cursor } = query;
    let filter = movement::Filter { stock_id, kind, reference };
    let mut conn = logistics.read().await?;
    let found = movement::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = movement::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |movement| movement.id)))
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<StockId>,
    Valid(change): Valid<StockChange>,
    logistics: Data<Context>,
) -> Result<Json<Stock>> {
    Ok(Json(logistics.run(who.origin(), AdjustStock { id, change }).await?))
}
