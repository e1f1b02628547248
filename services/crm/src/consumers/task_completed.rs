use bhiv_events::Event;
use bhiv_events::task::TaskCompleted;
use bhiv_outbox::{Failure, Handle, Tx};

use crate::commands::note_activity::note_activity;

/// task_completed -> what the task was about knows of it, if that is crm's.
pub struct NoteTheTask;

impl Handle<TaskCompleted> for NoteTheTask {
    async fn handle(&self, tx: &mut Tx, event: &Event, task: TaskCompleted) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        let ours = |entity: &String| {
            ["lead/", "opportunity/", "account/", "contact/"].iter().any(|kind| entity.starts_with(kind))
        };
        let Some(entity) = task.reference.filter(ours) else { return Ok(()) };
        let summary = format!("task/{} completed: {}", task.task_id, task.title);
        note_activity(tx, entity, "task", summary).await?;
        Ok(())
    }
}
