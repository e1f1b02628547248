use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::{DateTime, Utc};

use super::add_task::{Maker, add_task};
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
    #[error("{1} is over; it is {2}")]
    Past(&'static str, DateTime<Utc>, DateTime<Utc>),
}

impl Refusal for CreateTaskError {}

impl Command for CreateTask {
    type Output = Task;
    type Refusal = CreateTaskError;

    async fn run(&self, tx: &mut Tx) -> Result<Task, Fault<CreateTaskError>> {
        let now = tx.now();
        for (field, at) in [("/due_date", self.0.due_date), ("/escalate_at", self.0.escalate_at)] {
            if let Some(past) = at.filter(|at| *at < now) {
                return Err(CreateTaskError::Past(field, past, now).into());
            }
        }
        // Nothing depends on a new task, so there is no circle.
        if let Some(id) = missing(tx, &self.0.depends_on).await? {
            return Err(CreateTaskError::NoTask(id).into());
        }
        Ok(add_task(tx, self.0.clone(), Maker::Person).await?)
    }
}
