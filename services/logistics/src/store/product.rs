use bhiv_db::{Conn, keyset, words};
use bhiv_types::Currency;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{ProductId, SupplierId};
use crate::schema::products;

/// What is known of a product.
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
#[diesel(table_name = products, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Stock keeping unit: what orders and stock call it.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// What one is.
    pub unit: Option<String>,
    /// What one costs, in `currency`.
    pub price: Option<Decimal>,
    /// ISO 4217 code.
    pub currency: Currency,
    /// Whether it is sold.
    pub active: bool,
    /// From whom it is ordered again when it runs low.
    pub supplier_id: Option<SupplierId>,
    /// How many are ordered then.
    pub reorder_quantity: Option<i64>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which products a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The one that is called so.
    pub sku: Option<String>,
    /// Those that are ordered there.
    pub supplier_id: Option<SupplierId>,
    /// Those that are sold, or are not.
    pub active: Option<bool>,
    /// Those with words in name or sku that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<ProductId>>,
}

impl Filter {
    fn query(&self) -> products::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = products::table.into_boxed();
        if let Some(sku) = &self.sku {
            query = query.filter(products::sku.eq(sku.clone()));
        }
        if let Some(supplier_id) = self.supplier_id {
            query = query.filter(products::supplier_id.eq(supplier_id));
        }
        if let Some(active) = self.active {
            query = query.filter(products::active.eq(active));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(products, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(products::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, products);

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &Product) -> QueryResult<()> {
    diesel::insert_into(products::table).values(row).execute(conn).await.map(drop)
}

/// The one with that id, if there is one.
pub async fn find(conn: &mut Conn, id: ProductId) -> QueryResult<Option<Product>> {
    products::table.find(id).select(Product::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: ProductId) -> QueryResult<Option<Product>> {
    products::table.find(id).select(Product::as_select()).for_update().first(conn).await.optional()
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, row: &Product) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were made.
    CreatedAt(Option<(DateTime<Utc>, ProductId)>),
    /// By name.
    Name(Option<(String, ProductId)>),
}

/// Up to `limit` of them in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Product>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, products::created_at, products::id, descending, after),
        Order::Name(after) => keyset!(query, products::name, products::id, descending, after),
    };
    query.limit(limit).select(Product::as_select()).load(conn).await
}

/// How many a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// The product that is called so, if it is known.
pub async fn called(conn: &mut Conn, sku: &str) -> QueryResult<Option<Product>> {
    let row = products::table.filter(products::sku.eq(sku.to_owned()));
    row.select(Product::as_select()).first(conn).await.optional()
}
