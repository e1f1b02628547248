use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::save_task::save_task;
use crate::domain::ids::TaskId;
use crate::domain::task::TaskChange;
use crate::store::task::{self, Task};

/// Changes fields of a task, moves it, or both.
#[derive(Debug)]
pub struct PatchTask {
    /// Which task.
    pub id: TaskId,
    /// What changes.
    pub change: TaskChange,
}

/// Why a task stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchTaskError {
    #[error("there is no task {0}")]
    NotFound(TaskId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

impl Refusal for PatchTaskError {}

impl Command for PatchTask {
    type Output = Task;
    type Refusal = PatchTaskError;

    async fn run(&self, tx: &mut Tx) -> Result<Task, Fault<PatchTaskError>> {
        let before = task::lock(tx.conn(), self.id).await?.ok_or(PatchTaskError::NotFound(self.id))?;
        let mut after = before.clone();
        apply(self.change.clone(), &mut after).map_err(PatchTaskError::from)?;
        if after == before {
            return Ok(before);
        }
        let after = save_task(tx, &before, after, None).await?;
        let action = if after.status == before.status { "task.update" } else { "task.move" };
        tx.audit(action, format!("task/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: TaskChange, task: &mut Task) -> Result<(), IllegalTransition> {
    let TaskChange { title, description, assignee_id, priority, due_date, reference, status } = change;
    if let Some(title) = title {
        task.title = title;
    }
    if let Some(priority) = priority {
        task.priority = priority;
    }
    description.apply(&mut task.description);
    assignee_id.apply(&mut task.assignee_id);
    due_date.apply(&mut task.due_date);
    reference.apply(&mut task.reference);
    if let Some(status) = status.filter(|status| *status != task.status) {
        task.status = task.status.become_(status)?;
    }
    Ok(())
}
