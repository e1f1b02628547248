use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_product::CreateProduct;
use crate::commands::patch_product::PatchProduct;
use crate::domain::ids::{ProductId, SupplierId};
use crate::domain::product::{NewProduct, ProductChange};
use crate::store::product::{self, Filter, Order, Product};

/// What products can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum ProductSort {
    CreatedAt,
    Name,
}

/// A field, or its reverse.
type ProductOrder = Sort<ProductSort>;

/// Which products, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListProducts {
    /// The one that is called so.
    sku: Option<String>,
    /// Those that are ordered there.
    supplier_id: Option<SupplierId>,
    /// Those that are sold, or are not.
    active: Option<bool>,
    /// Those with words in name or sku that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<ProductOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewProduct>,
    logistics: Data<Context>,
) -> Result<Created<Product>> {
    let product = logistics.run(who.origin(), CreateProduct(new)).await?;
    Ok(Created::at(format!("/logistics/products/{}", product.id), product))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListProducts>,
    logistics: Data<Context>,
) -> Result<Json<Page<Product>>> {
    let ListProducts { sku, supplier_id, active, q, sort, limit, cursor } = query;
    let filter = Filter { sku, supplier_id, active, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: ProductSort::CreatedAt, descending: true });
    let order = match by {
        ProductSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        ProductSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |product: &Product| match by {
        ProductSort::CreatedAt => Cursor::at(&product.created_at, product.id),
        ProductSort::Name => Cursor::at(&product.name, product.id),
    };
    let mut conn = logistics.read().await?;
    let total = product::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = product::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<ProductId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Product>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("product/{id}"), at).await.map(Json);
    }
    let product = product::find(&mut conn, id).await?;
    product.map(Json).ok_or_else(|| Problem::not_found(format!("product/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<ProductId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("product/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<ProductId>,
    Valid(change): Valid<ProductChange>,
    logistics: Data<Context>,
) -> Result<Json<Product>> {
    Ok(Json(logistics.run(who.origin(), PatchProduct { id, change }).await?))
}
