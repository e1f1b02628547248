use bhiv_events::Event;
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::commands::run_workflows::RunWorkflows;

/// Any event that can be a trigger -> the workflows that it triggers. What they do is in their rows.
pub struct RunTheWorkflows;

impl HandleAny for RunTheWorkflows {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        RunWorkflows(event.clone()).run(tx).await?;
        Ok(())
    }
}
