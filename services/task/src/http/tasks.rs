use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_service::Context;
use bhiv_types::Priority;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_task::CreateTask;
use crate::commands::patch_task::PatchTask;
use crate::domain::ids::TaskId;
use crate::domain::task::{NewTask, TaskChange, TaskStatus};
use crate::store::task::{self, Filter, Order, Task};

/// What tasks can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum TaskSort {
    CreatedAt,
    UpdatedAt,
    DueDate,
    Title,
}

/// A field, or its reverse.
type TaskOrder = Sort<TaskSort>;

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
    /// Those that have this label.
    #[schema(min_length = 1, max_length = 100)]
    label: Option<String>,
    /// Those that should be done before then.
    due_before: Option<DateTime<Utc>>,
    /// Those with words in title or description that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<TaskOrder>,
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
    let ListTasks { status, assignee_id, priority, reference, overdue, .. } = query;
    let ListTasks { label, due_before, q, sort, limit, cursor, .. } = query;
    let overdue = overdue.map(|is_overdue| (is_overdue, service.clock().now()));
    let filter =
        Filter { status, assignee_id, priority, reference, overdue, label, due_before, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: TaskSort::CreatedAt, descending: true });
    let order = match by {
        TaskSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        TaskSort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        TaskSort::DueDate => Order::DueDate(Cursor::place(cursor)?),
        TaskSort::Title => Order::Title(Cursor::place(cursor)?),
    };
    let place = |task: &Task| match by {
        TaskSort::CreatedAt => Cursor::at(&task.created_at, task.id),
        TaskSort::UpdatedAt => Cursor::at(&task.updated_at, task.id),
        TaskSort::DueDate => Cursor::at(&task::due_of(task), task.id),
        TaskSort::Title => Cursor::at(&task.title, task.id),
    };
    let mut conn = service.read().await?;
    let total = task::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let tasks = task::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(tasks, limit, total, place)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<TaskId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    service: Data<Context>,
) -> Result<Json<Task>> {
    let mut conn = service.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("task/{id}"), at).await.map(Json);
    }
    let task = task::find(&mut conn, id).await?;
    task.map(Json).ok_or_else(|| Problem::not_found(format!("task/{id}")))
}

pub async fn history(
    _: Can<TaskRead>,
    Id(id): Id<TaskId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    service: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *service.read().await?, &format!("task/{id}"), query).await.map(Json)
}

/// The same change to many tasks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTasks {
    /// Which.
    ids: Ids,
    /// What changes.
    change: TaskChange,
}

pub async fn bulk(
    who: Can<TaskWrite>,
    Valid(ChangeTasks { ids, change }): Valid<ChangeTasks>,
    service: Data<Context>,
) -> Result<Json<Bulk>> {
    let command = |id| (id, PatchTask { id: TaskId(id), change: change.clone() });
    Ok(Json(service.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}

pub async fn patch(
    who: Can<TaskWrite>,
    Id(id): Id<TaskId>,
    Valid(change): Valid<TaskChange>,
    service: Data<Context>,
) -> Result<Json<Task>> {
    Ok(Json(service.run(who.origin(), PatchTask { id, change }).await?))
}
