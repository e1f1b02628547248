use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::{DateTime, Utc};

use super::add_task::add_task;
use super::patch_task::missing;
use crate::domain::ids::TaskId;
use crate::domain::task::NewTask;
use crate::store::task::Task;

/// Somebody creates a task.
#[derive(Debug)]
pub struct CreateTask(pub NewTask);

/// Why it is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTaskError {
    #[error("there is no task {0}")]
    NoTask(TaskId),
    #[error("{0} is over; it is {1}")]
    Past(DateTime<Utc>, DateTime<Utc>),
}

impl Refusal for CreateTaskError {}

impl Command for CreateTask {
    type Output = Task;
    type Refusal = CreateTaskError;

    async fn run(&self, tx: &mut Tx) -> Result<Task, Fault<CreateTaskError>> {
        let now = tx.now();
        if let Some(past) = self.0.due_date.filter(|due| *due < now) {
            return Err(CreateTaskError::Past(past, now).into());
        }
        // Nothing depends on a new task, so there is no circle.
        if let Some(id) = missing(tx, &self.0.depends_on).await? {
            return Err(CreateTaskError::NoTask(id).into());
        }
        Ok(add_task(tx, self.0.clone(), None).await?)
    }
}
