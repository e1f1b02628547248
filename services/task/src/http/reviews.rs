use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_auth::{Access, Module, Permission};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Segment, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::create_review::CreateReview;
use crate::domain::ids::{ReviewId, TaskId};
use crate::domain::performance::Performance;
use crate::domain::review::{NewReview, ReviewStatus};
use crate::error::NOT_YOUR_REVIEW;
use crate::store::review::{self, Filter, Review};

/// Which reviews, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListReviews {
    /// Those of this task.
    task_id: Option<TaskId>,
    /// Those by this user.
    reviewer_id: Option<String>,
    /// Those that say that.
    status: Option<ReviewStatus>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskWrite>,
    Valid(new): Valid<NewReview>,
    service: Data<Context>,
) -> Result<Created<Review>> {
    let reviewer = new.reviewer_id.clone().unwrap_or_else(|| who.caller.id.clone());
    let admin = Permission { module: Module::Task, access: Access::Admin };
    if reviewer != who.caller.id && !who.caller.may(admin) {
        return Err(Problem::from(NOT_YOUR_REVIEW).at("/reviewer_id", "must be you"));
    }
    let review = service.run(who.origin(), CreateReview { new, reviewer }).await?;
    Ok(Created::at(format!("/task/reviews/{}", review.id), review))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListReviews>,
    service: Data<Context>,
) -> Result<Json<Page<Review>>> {
    let ListReviews { task_id, reviewer_id, status, limit, cursor } = query;
    let filter = Filter { task_id, reviewer_id, status };
    let mut conn = service.read().await?;
    let found = review::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = review::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |review| review.id.0)))
}

pub async fn read(_: Can<TaskRead>, Id(id): Id<ReviewId>, service: Data<Context>) -> Result<Json<Review>> {
    let review = review::find(&mut *service.read().await?, id).await?;
    review.map(Json).ok_or_else(|| Problem::not_found(format!("review/{id}")))
}

/// Of which time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct During {
    /// What was completed then or later; ever, unless it says otherwise.
    from: Option<DateTime<Utc>>,
    /// And before then; now, unless it says otherwise.
    until: Option<DateTime<Utc>>,
}

/// What somebody did in a period, and how well.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmployeePerformance {
    /// Who.
    employee_id: String,
    /// Tasks that they completed in it.
    completed: i64,
    /// Tasks that were theirs before its end and are still to be done.
    open: i64,
    /// Of the completed, those that were reviewed.
    reviewed: i64,
    #[serde(flatten)]
    performance: Performance,
}

pub async fn performance(
    _: Can<TaskRead>,
    Segment(employee_id): Segment<String>,
    ValidQuery(During { from, until }): ValidQuery<During>,
    service: Data<Context>,
) -> Result<Json<EmployeePerformance>> {
    let from = from.unwrap_or(DateTime::UNIX_EPOCH);
    // What is completed at this very moment counts.
    let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let work = review::work_of(&mut *service.read().await?, &employee_id, from, until).await?;
    Ok(Json(EmployeePerformance {
        employee_id,
        completed: work.completed,
        open: work.open,
        reviewed: work.reviewed,
        performance: work.performance(),
    }))
}
