use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_supplier::CreateSupplier;
use crate::commands::patch_supplier::PatchSupplier;
use crate::domain::ids::SupplierId;
use crate::domain::supplier::{NewSupplier, SupplierChange};
use crate::store::supplier::{self, Filter, Order, Supplier};

/// What suppliers can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum SupplierSort {
    CreatedAt,
    Name,
}

/// A field, or its reverse.
type SupplierOrder = Sort<SupplierSort>;

/// Which suppliers, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSuppliers {
    /// Those where we buy, or do not.
    active: Option<bool>,
    /// Those with words in name or e-mail address that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<SupplierOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewSupplier>,
    logistics: Data<Context>,
) -> Result<Created<Supplier>> {
    let supplier = logistics.run(who.origin(), CreateSupplier(new)).await?;
    Ok(Created::at(format!("/logistics/suppliers/{}", supplier.id), supplier))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListSuppliers>,
    logistics: Data<Context>,
) -> Result<Json<Page<Supplier>>> {
    let ListSuppliers { active, q, sort, limit, cursor } = query;
    let filter = Filter { active, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: SupplierSort::CreatedAt, descending: true });
    let order = match by {
        SupplierSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        SupplierSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |supplier: &Supplier| match by {
        SupplierSort::CreatedAt => Cursor::at(&supplier.created_at, supplier.id),
        SupplierSort::Name => Cursor::at(&supplier.name, supplier.id),
    };
    let mut conn = logistics.read().await?;
    let total = supplier::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = supplier::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<SupplierId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<Supplier>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("supplier/{id}"), at).await.map(Json);
    }
    let supplier = supplier::find(&mut conn, id).await?;
    supplier.map(Json).ok_or_else(|| Problem::not_found(format!("supplier/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<SupplierId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("supplier/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<LogisticsWrite>,
    Id(id): Id<SupplierId>,
    Valid(change): Valid<SupplierChange>,
    logistics: Data<Context>,
) -> Result<Json<Supplier>> {
    Ok(Json(logistics.run(who.origin(), PatchSupplier { id, change }).await?))
}
