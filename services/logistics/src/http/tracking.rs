use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Public, Result, Segment, Valid, ValidQuery};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::note_tracking::NoteScan;
use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::DeliveryId;
use crate::domain::tracking::NewScan;
use crate::domain::tracking_number::TrackingNumber;
use crate::domain::window::Window;
use crate::store::delivery;
use crate::store::tracking_event::{self, Seen, TrackingEvent};

/// How far a delivery has come, and how: what everybody may see who knows its tracking number. Nothing tells whose it
/// is or where it goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Progress {
    /// The tracking number.
    tracking_number: TrackingNumber,
    /// Where the delivery stands.
    status: DeliveryStatus,
    /// The day promised.
    delivery_date: NaiveDate,
    /// Between which hours of that day.
    window: Option<Window>,
    /// When it should be there, in the time of the place where it goes.
    #[schema(value_type = Option<String>)]
    eta: Option<NaiveTime>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// What happened to it, the oldest first; the newest 100.
    events: Vec<Seen>,
}

pub async fn read(
    _: Public,
    Segment(number): Segment<TrackingNumber>,
    logistics: Data<Context>,
) -> Result<Json<Progress>> {
    let mut conn = logistics.read().await?;
    let found = delivery::track(&mut conn, &number).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("delivery {number}")))?;
    Ok(Json(Progress {
        tracking_number: found.tracking_number,
        status: found.status,
        delivery_date: found.delivery_date,
        window: found.window,
        eta: found.eta,
        updated_at: found.updated_at,
        events: tracking_event::seen(&mut conn, found.id).await?,
    }))
}

/// How many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTrackingEvents {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn scan(
    who: Can<LogisticsWrite>,
    Id(id): Id<DeliveryId>,
    Valid(new): Valid<NewScan>,
    logistics: Data<Context>,
) -> Result<Created<TrackingEvent>> {
    let event = logistics.run(who.origin(), NoteScan { id, new }).await?;
    Ok(Created::at(format!("/logistics/delivery/{id}/events"), event))
}

pub async fn list(
    _: Can<LogisticsRead>,
    Id(id): Id<DeliveryId>,
    ValidQuery(ListTrackingEvents { limit, cursor }): ValidQuery<ListTrackingEvents>,
    logistics: Data<Context>,
) -> Result<Json<Page<TrackingEvent>>> {
    let after = Cursor::place(cursor)?;
    let mut conn = logistics.read().await?;
    if delivery::find(&mut conn, id).await?.is_none() {
        return Err(Problem::not_found(format!("delivery/{id}")));
    }
    let total = tracking_event::count(&mut conn, id).await?;
    let found = tracking_event::list(&mut conn, id, after, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, |event: &TrackingEvent| Cursor::at(&event.at, event.id))))
}
