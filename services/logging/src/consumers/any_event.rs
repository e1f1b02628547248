use std::sync::Arc;

use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};

use crate::commands::keep_events::keep_events;
use crate::domain::vault::Vault;

/// Any event, any audit row -> there is an entry of it.
pub struct KeepTheEvents {
    /// Seals what is personal, if a master key is configured.
    pub vault: Option<Arc<Vault>>,
}

impl HandleAll for KeepTheEvents {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        keep_events(tx, self.vault.as_ref(), events).await?;
        Ok(())
    }
}
