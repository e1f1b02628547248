use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::create_feedback::CreateFeedback;
use crate::commands::patch_feedback::PatchFeedback;
use crate::domain::feedback::{FeedbackChange, NewFeedback, Ratings};
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
    /// That with words in the comment that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
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
    let ListFeedback { order_id, rating, q, limit, cursor } = query;
    let filter = Filter { order_id, rating, text: q, ids: None };
    let mut conn = service.read().await?;
    let total = feedback::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = feedback::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
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

/// Of which time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryPeriod {
    /// What was said then or later; ever, unless it says otherwise.
    from: Option<DateTime<Utc>>,
    /// And before then.
    until: Option<DateTime<Utc>>,
}

/// What customers say, counted from their feedback.
#[derive(Debug, Serialize, ToSchema)]
pub struct Summary {
    #[serde(flatten)]
    all: Ratings,
    /// By category; feedback of several counts in each.
    categories: BTreeMap<String, Ratings>,
}

pub async fn summary(
    _: Can<TaskRead>,
    ValidQuery(SummaryPeriod { from, until }): ValidQuery<SummaryPeriod>,
    service: Data<Context>,
) -> Result<Json<Summary>> {
    let from = from.unwrap_or(DateTime::UNIX_EPOCH);
    let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let counts = feedback::counts(&mut *service.read().await?, from, until).await?;
    let mut grouped: BTreeMap<Option<String>, Vec<(i16, i64)>> = BTreeMap::new();
    for count in counts {
        grouped.entry(count.category).or_default().push((count.rating, count.count));
    }
    let all = Ratings::of(&grouped.remove(&None).unwrap_or_default());
    let categories = grouped.into_iter().filter_map(|(name, counts)| Some((name?, Ratings::of(&counts))));
    Ok(Json(Summary { all, categories: categories.collect() }))
}
