use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::events;
use crate::store::task::{self, Task};
use crate::store::transition::{self, Transition};

/// Saves a task that was changed, and its transition if its status did: the one place where a status changes.
pub async fn save_task(
    tx: &mut Tx,
    before: &Task,
    mut after: Task,
    reason: Option<String>,
) -> Result<Task, DieselError> {
    after.version += 1;
    after.updated_at = tx.now();
    task::update(tx.conn(), &after).await?;
    tx.continue_story(after.correlation_id);
    if after.status != before.status {
        let transition = Transition {
            task_id: after.id,
            version: after.version,
            from: before.status,
            to: after.status,
            at: tx.now(),
            by: tx.actor().to_owned(),
        };
        transition::insert(tx.conn(), &transition).await?;
        events::task_moved(tx, &after, reason);
    }
    Ok(after)
}
