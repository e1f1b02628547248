use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::create_feedback::CreateFeedback;
use crate::commands::patch_feedback::PatchFeedback;
use crate::domain::feedback::{FeedbackChange, NewFeedback};
use crate::domain::ids::FeedbackId;
use crate::store::feedback::{self, Feedback, Filter};

/// Which feedback, and how much of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListFeedback {
    /// That about this order.
    order_id: Option<Uuid>,
    /// That with this rating.
    #[schema(minimum = 1, maximum = 5)]
    rating: Option<i16>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskWrite>,
    Valid(new): Valid<NewFeedback>,
    service: Data<Context>,
) -> Result<Created<Feedback>> {
    let feedback = service.run(who.origin(), CreateFeedback(new)).await?;
    Ok(Created::at(format!("/task/feedback/{}", feedback.id), feedback))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListFeedback>,
    service: Data<Context>,
) -> Result<Json<Page<Feedback>>> {
    let ListFeedback { order_id, rating, limit, cursor } = query;
    let filter = Filter { order_id, rating };
    let mut conn = service.read().await?;
    let found = feedback::list(&mut conn, filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = feedback::count(&mut conn, filter).await?;
    Ok(Json(Page::new(found, limit, total, |feedback| feedback.id.0)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<FeedbackId>,
    service: Data<Context>,
) -> Result<Json<Feedback>> {
    let feedback = feedback::find(&mut *service.read().await?, id).await?;
    feedback.map(Json).ok_or_else(|| Problem::not_found(format!("feedback/{id}")))
}

pub async fn patch(
    who: Can<TaskWrite>,
    Id(id): Id<FeedbackId>,
    Valid(change): Valid<FeedbackChange>,
    service: Data<Context>,
) -> Result<Json<Feedback>> {
    Ok(Json(service.run(who.origin(), PatchFeedback { id, change }).await?))
}
