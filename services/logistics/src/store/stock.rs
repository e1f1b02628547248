use bhiv_db::{Conn, keyset, words};
use chrono::{DateTime, Utc};
use diesel::dsl::Sub;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::StockId;
use crate::schema::stock;

type Available = Sub<stock::on_hand, stock::reserved>;

/// Written as in the index `stock_low`.
fn available() -> Available {
    stock::on_hand - stock::reserved
}

/// The stock of a product at a location.
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
#[diesel(table_name = stock, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Stock {
    /// Its id.
    pub id: StockId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// The product.
    pub product_id: String,
    /// Where it is kept.
    pub location: String,
    /// How many are there.
    pub on_hand: i64,
    /// How many of them are promised.
    pub reserved: i64,
    /// How many can still be promised: `on_hand` without `reserved`.
    #[diesel(select_expression = available(), select_expression_type = Available)]
    #[diesel(skip_insertion, skip_update)]
    pub available: i64,
    /// At how many `available` it should be ordered again.
    pub reorder_level: i64,
    /// Why it was last changed, when it is known.
    pub change_reason: Option<String>,
    /// When the product was first kept there.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which stock a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// That of this product.
    pub product_id: Option<String>,
    /// That at this location.
    pub location: Option<String>,
    /// What should be ordered again, or what need not.
    pub low: Option<bool>,
    /// That with words in product or location that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<StockId>>,
}

impl Filter {
    fn query(&self) -> stock::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = stock::table.into_boxed();
        if let Some(product_id) = &self.product_id {
            query = query.filter(stock::product_id.eq(product_id.clone()));
        }
        if let Some(location) = &self.location {
            query = query.filter(stock::location.eq(location.clone()));
        }
        match self.low {
            Some(true) => query = query.filter(available().le(stock::reorder_level)),
            Some(false) => query = query.filter(available().gt(stock::reorder_level)),
            None => {}
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(stock, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(stock::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, stock);

/// Writes new stock.
pub async fn insert(conn: &mut Conn, row: &Stock) -> QueryResult<()> {
    diesel::insert_into(stock::table).values(row).execute(conn).await.map(drop)
}

/// The stock, if there is one.
pub async fn find(conn: &mut Conn, id: StockId) -> QueryResult<Option<Stock>> {
    stock::table.find(id).select(Stock::as_select()).first(conn).await.optional()
}

/// Writes stock that was changed.
pub async fn update(conn: &mut Conn, row: &Stock) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// All stock of these products, locked until the end of the transaction, in the order of the ids.
pub async fn lock_products(conn: &mut Conn, products: &[String]) -> QueryResult<Vec<Stock>> {
    let rows = stock::table.filter(stock::product_id.eq_any(products.to_vec())).order(stock::id);
    rows.select(Stock::as_select()).for_update().load(conn).await
}

/// Whether one of these products is kept anywhere.
pub async fn is_any_kept(conn: &mut Conn, products: Vec<String>) -> QueryResult<bool> {
    let rows = stock::table.filter(stock::product_id.eq_any(products));
    diesel::select(diesel::dsl::exists(rows)).get_result(conn).await
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when the product was first kept there.
    CreatedAt(Option<(DateTime<Utc>, StockId)>),
    /// By how many can still be promised.
    Available(Option<(i64, StockId)>),
    /// By product.
    ProductId(Option<(String, StockId)>),
}

/// Up to `limit` rows of stock in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Stock>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, stock::created_at, stock::id, descending, after),
        Order::Available(after) => keyset!(query, available(), stock::id, descending, after),
        Order::ProductId(after) => keyset!(query, stock::product_id, stock::id, descending, after),
    };
    query.limit(limit).select(Stock::as_select()).load(conn).await
}

/// How many rows a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
