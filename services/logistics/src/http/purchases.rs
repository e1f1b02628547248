use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::move_purchase::MovePurchase;
use crate::commands::purchase::Purchase;
use crate::commands::receive_purchase::ReceivePurchase;
use crate::domain::ids::{PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::{NewPurchaseOrder, PurchaseMove, PurchaseStatus, Receipt};
use crate::store::purchase_order::{self, Filter, Order, PurchaseOrder};

/// What purchase orders can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum PurchaseOrderSort {
    CreatedAt,
}

/// A field, or its reverse.
type PurchaseOrderOrder = Sort<PurchaseOrderSort>;

/// Which purchase orders, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPurchaseOrders {
    /// Those that stand there.
    status: Option<PurchaseStatus>,
    /// Those to this supplier.
    supplier_id: Option<SupplierId>,
    /// Those of this product.
    sku: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<PurchaseOrderOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewPurchaseOrder>,
    logistics: Data<Context>,
) -> Result<Created<PurchaseOrder>> {
    let order = logistics.run(who.origin(), Purchase(new)).await?;
    Ok(Created::at(format!("/logistics/purchase-orders/{}", order.id), order))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListPurchaseOrders>,
    logistics: Data<Context>,
) -> Result<Json<Page<PurchaseOrder>>> {
    let ListPurchaseOrders { status, supplier_id, sku, sort, limit, cursor } = query;
    let filter = Filter { status, supplier_id, sku };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: PurchaseOrderSort::CreatedAt, descending: true });
    let order = match by {
        PurchaseOrderSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
    };
    let place = |order: &PurchaseOrder| match by {
        PurchaseOrderSort::CreatedAt => Cursor::at(&order.created_at, order.id),
    };
    let mut conn = logistics.read().await?;
    let found = purchase_order::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    let total = purchase_order::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<PurchaseOrderId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<PurchaseOrder>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("purchase_order/{id}"), at).await.map(Json);
    }
    let order = purchase_order::find(&mut conn, id).await?;
    order.map(Json).ok_or_else(|| Problem::not_found(format!("purchase_order/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<PurchaseOrderId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("purchase_order/{id}"), query).await.map(Json)
}

pub async fn move_(
    who: Can<LogisticsWrite>,
    Id(id): Id<PurchaseOrderId>,
    Valid(PurchaseMove { status }): Valid<PurchaseMove>,
    logistics: Data<Context>,
) -> Result<Json<PurchaseOrder>> {
    Ok(Json(logistics.run(who.origin(), MovePurchase { id, status }).await?))
}

pub async fn receive(
    who: Can<LogisticsWrite>,
    Id(id): Id<PurchaseOrderId>,
    Valid(Receipt { quantity }): Valid<Receipt>,
    logistics: Data<Context>,
) -> Result<Json<PurchaseOrder>> {
    Ok(Json(logistics.run(who.origin(), ReceivePurchase { id, quantity }).await?))
}
