use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_auth::{Access, Module, Permission};
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::decide_approval::DecideApproval;
use crate::domain::approval::{ApprovalStatus, Decision};
use crate::domain::ids::{ApprovalId, RunId};
use crate::store::approval::{self, Approval, Filter};

/// Which questions, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApprovals {
    /// Those that this became of.
    status: Option<ApprovalStatus>,
    /// Those that this user may answer.
    approver: Option<String>,
    /// Those of this run.
    run_id: Option<RunId>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListApprovals>,
    service: Data<Context>,
) -> Result<Json<Page<Approval>>> {
    let ListApprovals { status, approver, run_id, limit, cursor } = query;
    let filter = Filter { status, approver, run: run_id };
    let mut conn = service.read().await?;
    let found = approval::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = approval::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |approval| approval.id.0)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<ApprovalId>,
    service: Data<Context>,
) -> Result<Json<Approval>> {
    let approval = approval::find(&mut *service.read().await?, id).await?;
    approval.map(Json).ok_or_else(|| Problem::not_found(format!("approval/{id}")))
}

pub async fn decide(
    who: Can<TaskWrite>,
    Id(id): Id<ApprovalId>,
    Valid(decision): Valid<Decision>,
    service: Data<Context>,
) -> Result<Json<Approval>> {
    let is_admin = who.caller.may(Permission { module: Module::Task, access: Access::Admin });
    Ok(Json(service.run(who.origin(), DecideApproval { id, decision, is_admin }).await?))
}
