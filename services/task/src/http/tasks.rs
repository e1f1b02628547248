use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_service::Context;
use bhiv_types::Priority;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_task::CreateTask;
use crate::commands::patch_task::PatchTask;
use crate::domain::ids::TaskId;
use crate::domain::task::{NewTask, TaskChange, TaskStatus};
use crate::store::task::{self, Filter, Task};

/// Which tasks, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTasks {
    /// Those that stand there.
    status: Option<TaskStatus>,
    /// Those that this user does.
    assignee_id: Option<String>,
    /// Those that are this urgent.
    priority: Option<Priority>,
    /// Those about this, for example `lead/0190...`, or about one of several things.
    #[schema(min_items = 1, max_items = 400)]
    reference: Option<Vec<String>>,
    /// `true`: those that should be done by now and are not; `false`: the others.
    overdue: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskWrite>,
    Valid(new): Valid<NewTask>,
    service: Data<Context>,
) -> Result<Created<Task>> {
    let task = service.run(who.origin(), CreateTask(new)).await?;
    Ok(Created::at(format!("/task/tasks/{}", task.id), task))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListTasks>,
    service: Data<Context>,
) -> Result<Json<Page<Task>>> {
    let ListTasks { status, assignee_id, priority, reference, overdue, limit, cursor } = query;
    let overdue = overdue.map(|is_overdue| (is_overdue, service.clock().now()));
    let filter = Filter { status, assignee_id, priority, reference, overdue };
    let mut conn = service.read().await?;
    let tasks = task::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = task::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(tasks, limit, total, |task| task.id.0)))
}

pub async fn read(_: Can<TaskRead>, Id(id): Id<TaskId>, service: Data<Context>) -> Result<Json<Task>> {
    let task = task::find(&mut *service.read().await?, id).await?;
    task.map(Json).ok_or_else(|| Problem::not_found(format!("task/{id}")))
}

pub async fn patch(
    who: Can<TaskWrite>,
    Id(id): Id<TaskId>,
    Valid(change): Valid<TaskChange>,
    service: Data<Context>,
) -> Result<Json<Task>> {
    Ok(Json(service.run(who.origin(), PatchTask { id, change }).await?))
}
