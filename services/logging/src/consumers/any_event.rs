use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};

use crate::commands::keep_events::{Keeping, keep_events};

/// Any event, any audit row -> there is an entry of it.
pub struct KeepTheEvents(pub Keeping);

impl HandleAll for KeepTheEvents {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        keep_events(tx, &self.0, events).await?;
        Ok(())
    }
}
