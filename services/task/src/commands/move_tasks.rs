use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use super::save_task::save_task;
use crate::domain::task::TaskStatus;
use crate::store::task::{self, Task};

/// Moves every open task about `reference` that can become `to`; answers how many. A part of what workflows do.
pub async fn move_tasks(
    tx: &mut Tx,
    reference: &str,
    to: TaskStatus,
    reason: Option<String>,
) -> Result<usize, DieselError> {
    let tasks = task::lock_about(tx.conn(), reference, TaskStatus::before(to)).await?;
    for before in &tasks {
        let after = Task { status: to, ..before.clone() };
        save_task(tx, before, after, reason.clone()).await?;
    }
    Ok(tasks.len())
}
