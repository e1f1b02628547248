use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};
use serde_json::Value;

use crate::changes::Changes;
use crate::live::Live;
use crate::store::live_event;

/// Any event -> the live streams show it, and no answer of its module from before is given any more.
pub struct ShowIt(pub Live, pub Changes);

impl HandleAll for ShowIt {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let modules: Vec<_> = events.iter().map(|event| module(event)).collect();
        self.1.told(&modules);
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::to_value(event).unwrap_or_default()).collect();
        live_event::append(tx.conn(), &modules, &events).await?;
        Ok(())
    }

    fn committed(&self) {
        self.0.appended();
    }
}

/// `/bhiv/crm` is `crm`.
pub(super) fn module(event: &Event) -> &str {
    event.source.rsplit('/').next().unwrap_or_default()
}
