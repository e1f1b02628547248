use bhiv_db::{Conn, keyset, words};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::CourierId;
use crate::domain::window::Window;
use crate::schema::couriers;

/// Somebody who brings deliveries.
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
#[diesel(table_name = couriers, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Courier {
    /// Its id.
    pub id: CourierId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it began in.
    pub correlation_id: Uuid,
    /// Their name.
    pub name: String,
    /// Their phone number.
    pub phone: Option<String>,
    /// How much they can load.
    pub capacity: i32,
    /// Between which hours, in the time of the place.
    pub shift: Window,
    /// What a kilometre costs, in one currency for all couriers.
    #[schema(value_type = bhiv_types::Amount)]
    pub cost_per_km: Decimal,
    /// What an hour costs, in the same.
    #[schema(value_type = bhiv_types::Amount)]
    pub cost_per_hour: Decimal,
    /// Whether they are planned.
    pub active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which couriers a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those who are planned, or are not.
    pub active: Option<bool>,
    /// Those with words in their name that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<CourierId>>,
}

impl Filter {
    fn query(&self) -> couriers::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = couriers::table.into_boxed();
        if let Some(active) = self.active {
            query = query.filter(couriers::active.eq(active));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(couriers, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(couriers::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, couriers);

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &Courier) -> QueryResult<()> {
    diesel::insert_into(couriers::table).values(row).execute(conn).await.map(drop)
}

/// The one with that id, if there is one.
pub async fn find(conn: &mut Conn, id: CourierId) -> QueryResult<Option<Courier>> {
    couriers::table.find(id).select(Courier::as_select()).first(conn).await.optional()
}

/// The same, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: CourierId) -> QueryResult<Option<Courier>> {
    couriers::table.find(id).select(Courier::as_select()).for_update().first(conn).await.optional()
}

/// Writes one that was changed.
pub async fn update(conn: &mut Conn, row: &Courier) -> QueryResult<()> {
    diesel::update(row).set(row).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were made.
    CreatedAt(Option<(DateTime<Utc>, CourierId)>),
    /// By name.
    Name(Option<(String, CourierId)>),
}

/// Up to `limit` of them in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Courier>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, couriers::created_at, couriers::id, descending, after),
        Order::Name(after) => keyset!(query, couriers::name, couriers::id, descending, after),
    };
    query.limit(limit).select(Courier::as_select()).load(conn).await
}

/// How many a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// Those who are planned; only those of `ids`, when there are some.
pub async fn active(conn: &mut Conn, ids: Option<&[CourierId]>) -> QueryResult<Vec<Courier>> {
    let mut query = couriers::table.filter(couriers::active).into_boxed();
    if let Some(ids) = ids {
        query = query.filter(couriers::id.eq_any(ids));
    }
    query.order(couriers::id).select(Courier::as_select()).load(conn).await
}
