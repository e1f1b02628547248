use bhiv_db::{Conn, keyset, words};
use bhiv_types::Priority;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::{CourierId, DeliveryId, OrderId};
use crate::domain::location::Location;
use crate::domain::timezone::Timezone;
use crate::domain::tracking_number::TrackingNumber;
use crate::domain::window::Window;
use crate::schema::deliveries;

/// A delivery.
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
#[diesel(table_name = deliveries, treat_none_as_default_value = false, treat_none_as_null = true)]
#[expect(clippy::struct_field_names, reason = "named as in requests and events")]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story of its order.
    pub correlation_id: Uuid,
    /// The order that it delivers.
    pub order_id: OrderId,
    /// What the customer follows it by.
    pub tracking_number: TrackingNumber,
    /// The day promised.
    pub delivery_date: NaiveDate,
    /// Between which hours of that day.
    pub window: Option<Window>,
    /// Where it goes, in words.
    pub address: String,
    /// Where it goes, on the map.
    pub location: Option<Location>,
    /// What the driver should know.
    pub special_instructions: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Why it stands there, when it is known.
    pub status_reason: Option<String>,
    /// When it was scheduled.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How much of a courier's capacity it takes.
    #[serde(default = "one")]
    pub load: i32,
    /// Who brings it.
    #[serde(default)]
    pub courier_id: Option<CourierId>,
    /// When it should be there, in the time of the place where it goes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub eta: Option<NaiveTime>,
    /// By whose clocks day, window and eta count.
    #[serde(default)]
    pub timezone: Option<Timezone>,
    /// From then on it is late.
    #[serde(default)]
    pub promised_until: Option<DateTime<Utc>>,
}

/// What a delivery took before its load was kept.
fn one() -> i32 {
    1
}

/// Which deliveries a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of one of these orders.
    pub order_id: Option<Vec<OrderId>>,
    /// Those that stand there.
    pub status: Option<DeliveryStatus>,
    /// The one with this tracking number.
    pub tracking_number: Option<TrackingNumber>,
    /// Those that this courier brings.
    pub courier_id: Option<CourierId>,
    /// Those promised for that day or later.
    pub from: Option<NaiveDate>,
    /// Those promised for a day before that.
    pub until: Option<NaiveDate>,
    /// Those with words in tracking number or address that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<DeliveryId>>,
}

impl Filter {
    fn query(&self) -> deliveries::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = deliveries::table.into_boxed();
        if let Some(order_id) = &self.order_id {
            query = query.filter(deliveries::order_id.eq_any(order_id.clone()));
        }
        if let Some(status) = self.status {
            query = query.filter(deliveries::status.eq(status));
        }
        if let Some(tracking_number) = &self.tracking_number {
            query = query.filter(deliveries::tracking_number.eq(tracking_number.clone()));
        }
        if let Some(courier_id) = self.courier_id {
            query = query.filter(deliveries::courier_id.eq(courier_id));
        }
        if let Some(from) = self.from {
            query = query.filter(deliveries::delivery_date.ge(from));
        }
        if let Some(until) = self.until {
            query = query.filter(deliveries::delivery_date.lt(until));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(deliveries, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(deliveries::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, deliveries);

/// Writes a new delivery.
pub async fn insert(conn: &mut Conn, delivery: &Delivery) -> QueryResult<()> {
    diesel::insert_into(deliveries::table).values(delivery).execute(conn).await.map(drop)
}

/// The delivery, if there is one.
pub async fn find(conn: &mut Conn, id: DeliveryId) -> QueryResult<Option<Delivery>> {
    deliveries::table.find(id).select(Delivery::as_select()).first(conn).await.optional()
}

/// The delivery, locked until the end of the transaction. Its order is locked before it.
pub async fn lock(conn: &mut Conn, id: DeliveryId) -> QueryResult<Option<Delivery>> {
    deliveries::table.find(id).select(Delivery::as_select()).for_update().first(conn).await.optional()
}

/// The delivery with that number, if there is one.
pub async fn track(conn: &mut Conn, number: &TrackingNumber) -> QueryResult<Option<Delivery>> {
    let row = deliveries::table.filter(deliveries::tracking_number.eq(number));
    row.select(Delivery::as_select()).first(conn).await.optional()
}

/// Writes a delivery that was changed.
pub async fn update(conn: &mut Conn, delivery: &Delivery) -> QueryResult<()> {
    diesel::update(delivery).set(delivery).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were scheduled.
    CreatedAt(Option<(DateTime<Utc>, DeliveryId)>),
    /// By the day promised.
    DeliveryDate(Option<(NaiveDate, DeliveryId)>),
}

/// Up to `limit` deliveries in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Delivery>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => {
            keyset!(query, deliveries::created_at, deliveries::id, descending, after)
        }
        Order::DeliveryDate(after) => {
            keyset!(query, deliveries::delivery_date, deliveries::id, descending, after)
        }
    };
    query.limit(limit).select(Delivery::as_select()).load(conn).await
}

/// How many deliveries a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}

/// Up to `limit` deliveries under way that should have arrived before `now`; locked, and nobody else's. Those that were
/// promised first, first.
pub async fn lock_promised_before(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: usize,
) -> QueryResult<Vec<Delivery>> {
    let under_way = [DeliveryStatus::Scheduled, DeliveryStatus::InTransit];
    deliveries::table
        .filter(deliveries::status.eq_any(under_way))
        .filter(deliveries::promised_until.le(now))
        .order(deliveries::promised_until)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Delivery::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// What could be planned for `day`: up to `limit` deliveries that have not left yet, promised for that day or before.
pub async fn to_plan(conn: &mut Conn, day: NaiveDate, limit: i64) -> QueryResult<Vec<Delivery>> {
    let waiting = [DeliveryStatus::Scheduled, DeliveryStatus::Delayed];
    deliveries::table
        .filter(deliveries::status.eq_any(waiting))
        .filter(deliveries::delivery_date.le(day))
        .order((deliveries::delivery_date, deliveries::id))
        .limit(limit)
        .select(Delivery::as_select())
        .load(conn)
        .await
}
