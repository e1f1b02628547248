use actix_web::web::{Data, Json};
use bhiv_service::Context;
use bhiv_web::{Problem, Public, Result, Segment};

use crate::domain::tracking_number::TrackingNumber;
use crate::store::delivery::{self, Progress};

pub async fn read(
    _: Public,
    Segment(number): Segment<TrackingNumber>,
    logistics: Data<Context>,
) -> Result<Json<Progress>> {
    let progress = delivery::track(&mut *logistics.read().await?, &number).await?;
    progress.map(Json).ok_or_else(|| Problem::not_found(format!("delivery {number}")))
}
