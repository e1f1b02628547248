use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskAdmin, TaskRead};
use bhiv_service::Context;
use bhiv_web::{Bulk, Can, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::cancel_run::CancelRun;
use crate::commands::retry_run::{RetryRun, Start};
use crate::domain::ids::{RunId, WorkflowId};
use crate::domain::run::Outcome;
use crate::store::run::{self, Filter, Run};

/// What runs can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum RunSort {
    CreatedAt,
}

/// A field, or its reverse.
type RunOrder = Sort<RunSort>;

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
    /// Those that began then or later.
    from: Option<DateTime<Utc>>,
    /// Those that began before then.
    until: Option<DateTime<Utc>>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<RunOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListRuns>,
    service: Data<Context>,
) -> Result<Json<Page<Run>>> {
    let ListRuns { workflow_id, event_id, correlation_id, outcome, from, until, sort, limit, cursor } = query;
    let filter =
        Filter { workflow: workflow_id, event: event_id, story: correlation_id, outcome, from, until };
    let descending = sort.is_none_or(|sort| sort.descending);
    let place = Cursor::place(cursor)?;
    let mut conn = service.read().await?;
    let runs = run::list(&mut conn, filter, place, descending, limit.and_one()).await?;
    let total = run::count(&mut conn, filter).await?;
    Ok(Json(Page::new(runs, limit, total, |run| Cursor::at(&run.created_at, run.id))))
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

/// The same with many runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ManyRuns {
    /// Which.
    ids: Ids,
    /// What is done with each of them.
    action: RunAction,
}

/// What can be done with many runs.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunAction {
    /// Try it again, at the step that failed, if one did.
    Retry,
    /// End it, if it waits.
    Cancel,
}

pub async fn bulk(
    who: Can<TaskAdmin>,
    Valid(ManyRuns { ids, action }): Valid<ManyRuns>,
    service: Data<Context>,
) -> Result<Json<Bulk>> {
    let (origin, ids) = (who.origin(), ids.0.into_iter());
    let bulk = match action {
        RunAction::Retry => {
            let retry = ids.map(|id| (id, RetryRun { id: RunId(id), from: None })).collect();
            service.run_each(&origin, retry).await
        }
        RunAction::Cancel => {
            let cancel = ids.map(|id| (id, CancelRun(RunId(id)))).collect();
            service.run_each(&origin, cancel).await
        }
    };
    Ok(Json(bulk))
}
