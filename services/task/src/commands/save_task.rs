use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use super::note_change;
use crate::domain::task::TaskStatus;
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
    after.completed_at = match after.status {
        TaskStatus::Completed => before.completed_at.or_else(|| Some(tx.now())),
        _ => None,
    };
    if after.status != before.status && !matches!(after.status, TaskStatus::Pending | TaskStatus::Escalated) {
        // Whoever takes it up, or says that it is not needed, has responded.
        after.responded_at = after.responded_at.or_else(|| Some(tx.now()));
    }
    if after.due_date != before.due_date {
        // Whoever is given more time is late at another time.
        after.overdue_at = None;
    }
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
    let action = if after.status == before.status { "task.update" } else { "task.move" };
    note_change(tx, action, Some(before), &after);
    Ok(after)
}
