use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAny, Tx};

use crate::store::unified::{self, Outcome};

/// event_scored, compliance_checked, workflow_triggered -> what became of the unified event that caused it.
pub struct NoteTheOutcome;

impl HandleAny for NoteTheOutcome {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        let Some(cause) = event.causationid else { return Ok(()) };
        let Some(unified_id) = unified::told_by(tx.conn(), cause).await? else { return Ok(()) };
        let outcome = Outcome {
            id: event.id,
            unified_id,
            kind: event.name(),
            data: event.data.clone(),
            created_at: tx.now(),
        };
        unified::insert_outcome(tx.conn(), &outcome).await?;
        Ok(())
    }
}
