use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskAdmin, TaskRead};
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Problem, Result, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::cancel_run::CancelRun;
use crate::commands::retry_run::{RetryRun, Start};
use crate::domain::ids::{RunId, WorkflowId};
use crate::domain::run::Outcome;
use crate::store::run::{self, Filter, Run};

/// Which runs, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRuns {
    /// Those of this workflow.
    workflow_id: Option<WorkflowId>,
    /// Those about this event.
    event_id: Option<Uuid>,
    /// Those in this causal story.
    correlation_id: Option<Uuid>,
    /// Those that ended so.
    outcome: Option<Outcome>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListRuns>,
    service: Data<Context>,
) -> Result<Json<Page<Run>>> {
    let ListRuns { workflow_id, event_id, correlation_id, outcome, limit, cursor } = query;
    let filter = Filter { workflow: workflow_id, event: event_id, story: correlation_id, outcome };
    let mut conn = service.read().await?;
    let runs = run::list(&mut conn, filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = run::count(&mut conn, filter).await?;
    Ok(Json(Page::new(runs, limit, total, |run| run.id.0)))
}

pub async fn read(_: Can<TaskRead>, Id(id): Id<RunId>, service: Data<Context>) -> Result<Json<Run>> {
    let run = run::find(&mut *service.read().await?, id).await?;
    run.map(Json).ok_or_else(|| Problem::not_found(format!("run/{id}")))
}

/// Where it begins again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// From where on; at the step that failed, if one did, unless it says otherwise.
    from: Option<Start>,
}

pub async fn retry(
    who: Can<TaskAdmin>,
    Id(id): Id<RunId>,
    ValidQuery(Again { from }): ValidQuery<Again>,
    service: Data<Context>,
) -> Result<Json<Run>> {
    Ok(Json(service.run(who.origin(), RetryRun { id, from }).await?))
}

pub async fn cancel(who: Can<TaskAdmin>, Id(id): Id<RunId>, service: Data<Context>) -> Result<Json<Run>> {
    Ok(Json(service.run(who.origin(), CancelRun(id)).await?))
}
