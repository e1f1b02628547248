use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskAdmin, TaskRead};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, NoContent, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_workflow::CreateWorkflow;
use crate::commands::delete_workflow::DeleteWorkflow;
use crate::commands::patch_workflow::PatchWorkflow;
use crate::domain::ids::WorkflowId;
use crate::domain::workflow::{NewWorkflow, WorkflowChange};
use crate::store::workflow::{self, Filter, Workflow};

/// Which workflows, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflows {
    /// Those that this event triggers, for example `lead_created`.
    trigger: Option<String>,
    /// Those that are done, or those that are not.
    enabled: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskAdmin>,
    Valid(new): Valid<NewWorkflow>,
    service: Data<Context>,
) -> Result<Created<Workflow>> {
    let workflow = service.run(who.origin(), CreateWorkflow(new)).await?;
    Ok(Created::at(format!("/task/workflows/{}", workflow.id), workflow))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListWorkflows>,
    service: Data<Context>,
) -> Result<Json<Page<Workflow>>> {
    let ListWorkflows { trigger, enabled, limit, cursor } = query;
    let filter = Filter { trigger, enabled };
    let mut conn = service.read().await?;
    let workflows = workflow::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = workflow::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(workflows, limit, total, |workflow| workflow.id.0)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<WorkflowId>,
    service: Data<Context>,
) -> Result<Json<Workflow>> {
    let workflow = workflow::find(&mut *service.read().await?, id).await?;
    workflow.map(Json).ok_or_else(|| Problem::not_found(format!("workflow/{id}")))
}

pub async fn patch(
    who: Can<TaskAdmin>,
    Id(id): Id<WorkflowId>,
    Valid(change): Valid<WorkflowChange>,
    service: Data<Context>,
) -> Result<Json<Workflow>> {
    Ok(Json(service.run(who.origin(), PatchWorkflow { id, change }).await?))
}

pub async fn delete(
    who: Can<TaskAdmin>,
    Id(id): Id<WorkflowId>,
    service: Data<Context>,
) -> Result<NoContent> {
    service.run(who.origin(), DeleteWorkflow(id)).await?;
    Ok(NoContent)
}
