use bhiv_db::{Conn, keyset, words};
use bhiv_types::{Priority, State as _};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{RecurringId, TaskId, WorkflowId};
use crate::domain::task::{CheckItem, Checklist, TaskStatus};
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
    /// Words by which it can be found.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What has to be done for it, item by item.
    #[serde(default)]
    #[schema(value_type = Vec<CheckItem>)]
    pub checklist: Checklist,
    /// Tasks that have to be completed before it.
    #[serde(default)]
    pub depends_on: Vec<TaskId>,
    /// When it was completed.
    #[serde(default)]
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was told that it is overdue.
    #[serde(default)]
    pub overdue_at: Option<DateTime<Utc>>,
    /// When it is escalated if it is not done by then.
    #[serde(default)]
    pub escalate_at: Option<DateTime<Utc>>,
    /// When somebody should have begun, by the service level of its priority.
    #[serde(default)]
    pub respond_by: Option<DateTime<Utc>>,
    /// When somebody began.
    #[serde(default)]
    pub responded_at: Option<DateTime<Utc>>,
    /// When it was told that nobody had begun in time.
    #[serde(default)]
    pub breached_at: Option<DateTime<Utc>>,
    /// The recurring task that it came from, if it did.
    #[serde(default)]
    pub recurring_id: Option<RecurringId>,
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
    /// Those that have this label.
    pub label: Option<String>,
    /// Those that should be done before then.
    pub due_before: Option<DateTime<Utc>>,
    /// Those with words in title or description that begin with the words of this text.
    pub text: Option<String>,
    /// None but these, which a search has found already.
    pub ids: Option<Vec<TaskId>>,
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
            let overdue = tasks::due_date.lt(now).and(tasks::status.ne_all(ends()));
            // Without a date it is not known to be overdue, which SQL does not call false.
            query =
                if is_overdue { query.filter(overdue) } else { query.filter(overdue.is_distinct_from(true)) };
        }
        if let Some(label) = &self.label {
            query = query.filter(tasks::labels.contains(vec![label.clone()]));
        }
        if let Some(before) = self.due_before {
            query = query.filter(due().lt(before));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(tasks, text));
        }
        if let Some(ids) = &self.ids {
            query = query.filter(tasks::id.eq_any(ids.clone()));
        }
        query
    }
}

bhiv_db::narrowed!(Filter, tasks);

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

/// When tasks are due, those without a date last; written as in the index `tasks_due`.
fn due() -> diesel::expression::SqlLiteral<Timestamptz> {
    diesel::dsl::sql("coalesce(due_date, '9999-12-31 00:00:00+00'::timestamptz)")
}

/// Where a task stands among those that are sorted by [`Order::DueDate`].
pub fn due_of(task: &Task) -> DateTime<Utc> {
    let never = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    task.due_date.unwrap_or(never)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were created.
    CreatedAt(Option<(DateTime<Utc>, TaskId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, TaskId)>),
    /// By when they should be done.
    DueDate(Option<(DateTime<Utc>, TaskId)>),
    /// By title.
    Title(Option<(String, TaskId)>),
}

/// Up to `limit` tasks in this order, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Task>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, tasks::created_at, tasks::id, descending, after),
        Order::UpdatedAt(after) => keyset!(query, tasks::updated_at, tasks::id, descending, after),
        Order::DueDate(after) => keyset!(query, due(), tasks::id, descending, after),
        Order::Title(after) => keyset!(query, tasks::title, tasks::id, descending, after),
    };
    query.limit(limit).select(Task::as_select()).load(conn).await
}

/// How many tasks a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    let Some((false, now)) = filter.overdue else { return filter.query().count().get_result(conn).await };
    // Three parts, each of which is counted in an index; the one condition over all of them is in none.
    let all = || Filter { overdue: None, ..filter.clone() }.query();
    let over: i64 = all().filter(tasks::status.eq_any(ends())).count().get_result(conn).await?;
    let open = || all().filter(tasks::status.ne_all(ends()));
    let later: i64 = open().filter(tasks::due_date.ge(now)).count().get_result(conn).await?;
    let undated: i64 = open().filter(tasks::due_date.is_null()).count().get_result(conn).await?;
    Ok(over + later + undated)
}

/// The states of a task that is over.
fn ends() -> Vec<TaskStatus> {
    let all = TaskStatus::TRANSITIONS.iter().map(|(status, _)| *status);
    all.filter(|status| status.is_over()).collect()
}

/// Up to `limit` tasks that should be done by `now`, are not, and were not told of; locked, and nobody else's.
pub async fn lock_overdue(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Task>> {
    let over: Vec<_> = [TaskStatus::Completed, TaskStatus::Cancelled].into();
    tasks::table
        .filter(tasks::due_date.lt(now).and(tasks::overdue_at.is_null()).and(tasks::status.ne_all(over)))
        .order(tasks::due_date)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Task::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Up to `limit` tasks that are `open` and to be escalated by `now`; locked, and nobody else's.
pub async fn lock_to_escalate(
    conn: &mut Conn,
    now: DateTime<Utc>,
    open: Vec<TaskStatus>,
    limit: usize,
) -> QueryResult<Vec<Task>> {
    tasks::table
        .filter(tasks::escalate_at.lt(now).and(tasks::status.eq_any(open)))
        .order(tasks::escalate_at)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Task::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Up to `limit` tasks that somebody should have begun by `now`, and that were not told of; locked, and nobody else's.
pub async fn lock_unanswered(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Task>> {
    tasks::table
        .filter(
            tasks::respond_by.lt(now).and(tasks::responded_at.is_null()).and(tasks::breached_at.is_null()),
        )
        .order(tasks::respond_by)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Task::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Where tasks stand, and what they depend on.
pub async fn standings(
    conn: &mut Conn,
    ids: &[TaskId],
) -> QueryResult<Vec<(TaskId, TaskStatus, Vec<TaskId>)>> {
    let rows = tasks::table.filter(tasks::id.eq_any(ids.to_vec())).order(tasks::id);
    rows.select((tasks::id, tasks::status, tasks::depends_on)).load(conn).await
}

/// Whoever changes what depends on what comes one after the other, until the end of the transaction: two changes,
/// each of them harmless, may be a circle together.
pub async fn lock_dependencies(conn: &mut Conn) -> QueryResult<()> {
    let lock = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.tasks.depends_on'))";
    diesel::sql_query(lock).execute(conn).await.map(drop)
}

/// Whoever assigns the tasks of a workflow comes one after the other, until the end of the transaction.
pub async fn lock_assigning(conn: &mut Conn, workflow: WorkflowId) -> QueryResult<()> {
    let lock = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.assign.' || $1))";
    let lock = diesel::sql_query(lock).bind::<diesel::sql_types::Text, _>(workflow.to_string());
    lock.execute(conn).await.map(drop)
}

/// Which of these got the newest task of a workflow that one of them got.
pub async fn last_assignee(
    conn: &mut Conn,
    workflow: WorkflowId,
    among: &[String],
) -> QueryResult<Option<String>> {
    let last: Option<Option<String>> = tasks::table
        .filter(tasks::workflow_id.eq(workflow).and(tasks::assignee_id.eq_any(among)))
        .order(tasks::id.desc())
        .select(tasks::assignee_id)
        .first(conn)
        .await
        .optional()?;
    Ok(last.flatten())
}

/// How many open tasks each of these has who has some.
pub async fn open_by_assignee(conn: &mut Conn, among: &[String]) -> QueryResult<Vec<(String, i64)>> {
    let over = [TaskStatus::Completed, TaskStatus::Cancelled];
    let open = tasks::assignee_id.eq_any(among).and(tasks::status.ne_all(over));
    let loads: Vec<(Option<String>, i64)> = tasks::table
        .filter(open)
        .group_by(tasks::assignee_id)
        .select((tasks::assignee_id, diesel::dsl::count_star()))
        .load(conn)
        .await?;
    Ok(loads.into_iter().filter_map(|(who, load)| Some((who?, load))).collect())
}
