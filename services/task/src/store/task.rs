use bhiv_db::Conn;
use bhiv_types::{Priority, State as _};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{TaskId, WorkflowId};
use crate::domain::task::TaskStatus;
use crate::schema::tasks;

/// A task.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = tasks, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// What is to be done.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// Who does it.
    pub assignee_id: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// When it should be done.
    pub due_date: Option<DateTime<Utc>>,
    /// What it is about, for example `lead/0190...`.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// The workflow that created it, if one did.
    pub workflow_id: Option<WorkflowId>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which tasks a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that stand there.
    pub status: Option<TaskStatus>,
    /// Those that this user does.
    pub assignee_id: Option<String>,
    /// Those that are this urgent.
    pub priority: Option<Priority>,
    /// Those about one of these.
    pub reference: Option<Vec<String>>,
    /// Those that should be done by that time and are not, or the others.
    pub overdue: Option<(bool, DateTime<Utc>)>,
}

impl Filter {
    fn query(&self) -> tasks::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = tasks::table.into_boxed();
        if let Some(status) = self.status {
            query = query.filter(tasks::status.eq(status));
        }
        if let Some(assignee_id) = &self.assignee_id {
            query = query.filter(tasks::assignee_id.eq(assignee_id.clone()));
        }
        if let Some(priority) = self.priority {
            query = query.filter(tasks::priority.eq(priority));
        }
        if let Some(reference) = &self.reference {
            query = query.filter(tasks::reference.eq_any(reference.clone()));
        }
        if let Some((is_overdue, now)) = self.overdue {
            let ends = TaskStatus::TRANSITIONS.iter().map(|(status, _)| *status);
            let ends: Vec<_> = ends.filter(|status| status.is_final()).collect();
            let overdue = tasks::due_date.lt(now).and(tasks::status.ne_all(ends));
            // Without a date it is not known to be overdue, which SQL does not call false.
            query =
                if is_overdue { query.filter(overdue) } else { query.filter(overdue.is_distinct_from(true)) };
        }
        query
    }
}

/// Writes a new task.
pub async fn insert(conn: &mut Conn, task: &Task) -> QueryResult<()> {
    diesel::insert_into(tasks::table).values(task).execute(conn).await.map(drop)
}

/// The task, if there is one.
pub async fn find(conn: &mut Conn, id: TaskId) -> QueryResult<Option<Task>> {
    tasks::table.find(id).select(Task::as_select()).first(conn).await.optional()
}

/// The task, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: TaskId) -> QueryResult<Option<Task>> {
    tasks::table.find(id).select(Task::as_select()).for_update().first(conn).await.optional()
}

/// The tasks about `reference` that have one of these statuses, locked until the end of the transaction, the
/// oldest first.
pub async fn lock_about(
    conn: &mut Conn,
    reference: &str,
    statuses: impl Iterator<Item = TaskStatus>,
) -> QueryResult<Vec<Task>> {
    let about = tasks::table.filter(tasks::reference.eq(reference));
    let open = about.filter(tasks::status.eq_any(statuses.collect::<Vec<_>>()));
    open.order(tasks::id).select(Task::as_select()).for_update().load(conn).await
}

/// Writes a task that was changed.
pub async fn update(conn: &mut Conn, task: &Task) -> QueryResult<()> {
    diesel::update(task).set(task).execute(conn).await.map(drop)
}

/// Up to `limit` tasks, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Task>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(tasks::id.lt(TaskId(after)));
    }
    query.order(tasks::id.desc()).limit(limit).select(Task::as_select()).load(conn).await
}

/// How many tasks a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
