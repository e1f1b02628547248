use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};

use crate::commands::keep_events::keep_events;

/// Any event, any audit row -> there is an entry of it.
pub struct KeepTheEvents;

impl HandleAll for KeepTheEvents {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        keep_events(tx, events).await?;
        Ok(())
    }
}
