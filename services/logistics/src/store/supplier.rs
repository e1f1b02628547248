use bhiv_db::{Conn, keyset, words};
use bhiv_types::Email;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::SupplierId;
use crate::schema::suppliers;

/// Somebody from whom products are bought.
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
#[diesel(table_name = suppliers, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Supplier {
    /// Its id.
    pub id: SupplierId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Its name.
    pub name: String,
    /// Where orders go.
    pub email: Option<Email>,
    /// Its phone number.
    pub phone: Option<String>,
    /// How many days it takes until what is ordered comes.
    pub lead_time_days: i32,
    /// Whether we buy there.
    pub active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which suppliers a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those where we buy, or do not.
    pub active: Option<bool>,
    /// Those with words in name or e-mail address that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<SupplierId>>,
}

impl Filter {
    fn query(&self) -> suppliers::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = suppliers::table.into_boxed();
        if let Some(active) = self.active {
            query = query.filter(suppliers::active.eq(active));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(suppliers, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(suppliers::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, suppliers);

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &Supplier) -> QueryResult<()> {
    diesel::insert_into(suppliers::table).values(row).execute(conn).await.map(drop)
}

/// The one with that id, if there is one.
pub async fn find(conn: &mut Conn, id: SupplierId) -> QueryResult<Option<Supplier>> {
    suppliers::table.find(id).select(Supplier::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: SupplierId) -> QueryResult<Option<Supplier>> {
    suppliers::table.find(id).select(Supplier::as_select()).for_update().first(conn).await.optional()
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, row: &Supplier) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were made.
    CreatedAt(Option<(DateTime<Utc>, SupplierId)>),
    /// By name.
    Name(Option<(String, SupplierId)>),
}

/// Up to `limit` of them in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Supplier>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, suppliers::created_at, suppliers::id, descending, after),
        Order::Name(after) => keyset!(query, suppliers::name, suppliers::id, descending, after),
    };
    query.limit(limit).select(Supplier::as_select()).load(conn).await
}

/// How many a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
