use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use super::save_task::save_task;
use crate::domain::task::TaskStatus;
use crate::store::task::{self, Task};

/// Escalates every task about `reference` that can be; answers how many. A part of what workflows do.
pub async fn escalate_tasks(
    tx: &mut Tx,
    reference: &str,
    reason: Option<String>,
) -> Result<usize, DieselError> {
    let open = TaskStatus::before(TaskStatus::Escalated);
    let tasks = task::lock_about(tx.conn(), reference, open).await?;
    for before in &tasks {
        let after = Task { status: TaskStatus::Escalated, ..before.clone() };
        save_task(tx, before, after, reason.clone()).await?;
    }
    Ok(tasks.len())
}
