use bhiv_events::Event;
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::commands::note_outcome::NoteOutcome;

/// event_scored, compliance_checked, workflow_triggered -> what became of the unified event that caused it.
pub struct NoteTheOutcome;

impl HandleAny for NoteTheOutcome {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        let Some(cause) = event.causationid else { return Ok(()) };
        NoteOutcome { id: event.id, cause, kind: event.name(), data: event.data.clone() }.run(tx).await?;
        Ok(())
    }
}
