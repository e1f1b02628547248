use bhiv_db::{Conn, keyset};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::PurchaseStatus;
use crate::schema::purchase_orders;

/// An order to a supplier.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = purchase_orders, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct PurchaseOrder {
    /// Its id.
    pub id: PurchaseOrderId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// From whom.
    pub supplier_id: SupplierId,
    /// What.
    pub sku: String,
    /// Where it is to be kept.
    pub location: String,
    /// How many.
    pub quantity: i64,
    /// How many of them have come.
    pub received: i64,
    /// Where it stands.
    pub status: PurchaseStatus,
    /// When it should come.
    pub expected_on: Option<NaiveDate>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which purchase orders a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that stand there.
    pub status: Option<PurchaseStatus>,
    /// Those to this supplier.
    pub supplier_id: Option<SupplierId>,
    /// Those of this product.
    pub sku: Option<String>,
}

impl Filter {
    fn query(&self) -> purchase_orders::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = purchase_orders::table.into_boxed();
        if let Some(status) = self.status {
            query = query.filter(purchase_orders::status.eq(status));
        }
        if let Some(supplier_id) = self.supplier_id {
            query = query.filter(purchase_orders::supplier_id.eq(supplier_id));
        }
        if let Some(sku) = &self.sku {
            query = query.filter(purchase_orders::sku.eq(sku.clone()));
        }
        query
    }
}

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &PurchaseOrder) -> QueryResult<()> {
    diesel::insert_into(purchase_orders::table).values(row).execute(conn).await.map(drop)
}

/// The one with that id, if there is one.
pub async fn find(conn: &mut Conn, id: PurchaseOrderId) -> QueryResult<Option<PurchaseOrder>> {
    purchase_orders::table.find(id).select(PurchaseOrder::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: PurchaseOrderId) -> QueryResult<Option<PurchaseOrder>> {
    purchase_orders::table
        .find(id)
        .select(PurchaseOrder::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, row: &PurchaseOrder) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were made.
    CreatedAt(Option<(DateTime<Utc>, PurchaseOrderId)>),
}

/// Up to `limit` of them in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<PurchaseOrder>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => {
            keyset!(query, purchase_orders::created_at, purchase_orders::id, descending, after)
        }
    };
    query.limit(limit).select(PurchaseOrder::as_select()).load(conn).await
}

/// How many a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// Writes a new one, unless the product is on order for that location already. Answers whether it did.
pub async fn insert_once(conn: &mut Conn, row: &PurchaseOrder) -> QueryResult<bool> {
    let insert = diesel::insert_into(purchase_orders::table).values(row);
    insert.on_conflict_do_nothing().execute(conn).await.map(|rows| rows == 1)
}
