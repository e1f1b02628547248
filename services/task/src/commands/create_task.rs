use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::add_task::add_task;
use crate::domain::task::NewTask;
use crate::store::task::Task;

/// Somebody creates a task.
#[derive(Debug)]
pub struct CreateTask(pub NewTask);

impl Command for CreateTask {
    type Output = Task;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Task, Fault<Infallible>> {
        let task = add_task(tx, self.0.clone(), None).await?;
        tx.audit("task.create", format!("task/{}", task.id), None, Some(&task));
        Ok(task)
    }
}
