use bhiv_db::{Conn, keyset};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::DeliveryId;
use crate::domain::location::Location;
use crate::domain::tracking::TrackingKind;
use crate::schema::tracking_events;

/// Something that happened to a delivery on its way.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = tracking_events, treat_none_as_default_value = false)]
pub struct TrackingEvent {
    /// Its id.
    pub id: Uuid,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What happened.
    pub kind: TrackingKind,
    /// When.
    pub at: DateTime<Utc>,
    /// Where, in words.
    pub place: Option<String>,
    /// Where, on the map.
    pub location: Option<Location>,
    /// What else is to be said.
    pub note: Option<String>,
    /// Who said so.
    pub actor: String,
}

/// What everybody may see of it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tracking_events)]
pub struct Seen {
    /// What happened.
    pub kind: TrackingKind,
    /// When.
    pub at: DateTime<Utc>,
}

/// Writes a new one.
pub async fn insert(conn: &mut Conn, row: &TrackingEvent) -> QueryResult<()> {
    diesel::insert_into(tracking_events::table).values(row).execute(conn).await.map(drop)
}

/// The newest of a delivery, up to 100, the oldest first.
pub async fn seen(conn: &mut Conn, delivery: DeliveryId) -> QueryResult<Vec<Seen>> {
    let of = tracking_events::table.filter(tracking_events::delivery_id.eq(delivery));
    let newest = of.order((tracking_events::at.desc(), tracking_events::id.desc())).limit(100);
    let mut rows: Vec<Seen> = newest.select(Seen::as_select()).load(conn).await?;
    rows.reverse();
    Ok(rows)
}

/// Up to `limit` of those of a delivery, the newest first, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    delivery: DeliveryId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> QueryResult<Vec<TrackingEvent>> {
    let query = tracking_events::table.filter(tracking_events::delivery_id.eq(delivery)).into_boxed();
    keyset!(query, tracking_events::at, tracking_events::id, true, after)
        .limit(limit)
        .select(TrackingEvent::as_select())
        .load(conn)
        .await
}

/// How many a delivery has.
pub async fn count(conn: &mut Conn, delivery: DeliveryId) -> QueryResult<i64> {
    let of = tracking_events::table.filter(tracking_events::delivery_id.eq(delivery));
    of.count().get_result(conn).await
}
