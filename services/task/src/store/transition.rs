use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::TaskId;
use crate::domain::task::TaskStatus;
use crate::schema::task_transitions;

/// A change of a task's status.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = task_transitions)]
pub struct Transition {
    /// The task.
    #[serde(skip)]
    pub task_id: TaskId,
    /// The task's version after it.
    #[serde(skip)]
    pub version: i64,
    /// The status before.
    #[diesel(column_name = from_status)]
    pub from: TaskStatus,
    /// The status after.
    #[diesel(column_name = to_status)]
    pub to: TaskStatus,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it: `user/<id>`, or `service/task` for a workflow.
    #[diesel(column_name = actor)]
    pub by: String,
}

/// Writes a new transition.
pub async fn insert(conn: &mut Conn, transition: &Transition) -> QueryResult<()> {
    diesel::insert_into(task_transitions::table).values(transition).execute(conn).await.map(drop)
}

/// Every transition of a task, the oldest first.
pub async fn of(conn: &mut Conn, task_id: TaskId) -> QueryResult<Vec<Transition>> {
    let transitions = task_transitions::table.filter(task_transitions::task_id.eq(task_id));
    transitions.order(task_transitions::version).select(Transition::as_select()).load(conn).await
}
