use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use super::note_change;
use crate::domain::ids::WorkflowId;
use crate::domain::task::{Checklist, NewTask, TaskStatus};
use crate::events;
use crate::store::task::{self, Task};

/// Adds a task: what a person's request and a workflow's action have in common.
pub async fn add_task(
    tx: &mut Tx,
    new: NewTask,
    workflow_id: Option<WorkflowId>,
) -> Result<Task, DieselError> {
    let task = Task {
        id: tx.id().into(),
        version: 1,
        correlation_id: tx.correlation(),
        title: new.title,
        description: new.description,
        assignee_id: new.assignee_id,
        priority: new.priority,
        due_date: new.due_date,
        reference: new.reference,
        status: TaskStatus::Pending,
        workflow_id,
        created_at: tx.now(),
        updated_at: tx.now(),
        labels: new.labels,
        checklist: Checklist(new.checklist),
        depends_on: new.depends_on,
        completed_at: None,
        overdue_at: None,
    };
    task::insert(tx.conn(), &task).await?;
    events::task_created(tx, &task);
    note_change(tx, "task.create", None, &task);
    Ok(task)
}
