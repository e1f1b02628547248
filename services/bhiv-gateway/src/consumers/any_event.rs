use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};
use serde_json::Value;

use crate::domain::visible::{may_see, roles};
use crate::live::Live;
use crate::store::live_event;
use crate::store::subscription::{self, Listener};
use crate::store::webhook::{self, NewDelivery};
use crate::webhooks::Doorbell;

/// Any event -> the live streams show it, and webhooks have it to deliver.
pub struct ShowIt {
    /// The streams.
    pub live: Live,
    /// Who delivers.
    pub doorbell: Doorbell,
}

impl HandleAll for ShowIt {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let modules: Vec<_> = events.iter().map(|event| module(event)).collect();
        let texts: Vec<Value> =
            events.iter().map(|event| serde_json::to_value(event).unwrap_or_default()).collect();
        let listeners = subscription::listeners(tx.conn()).await?;
        let mut deliveries = Vec::new();
        for ((event, module), text) in events.iter().zip(&modules).zip(&texts) {
            for listener in listeners.iter().filter(|listener| wants(listener, event, module, text)) {
                deliveries.push(NewDelivery {
                    subscription_id: listener.id,
                    event_id: event.id,
                    event_type: event.name(),
                    module,
                    event: text,
                });
            }
        }
        if !deliveries.is_empty() {
            let now = tx.now();
            webhook::enqueue(tx.conn(), &deliveries, now).await?;
        }
        // Last, because of its lock.
        live_event::append(tx.conn(), &modules, &texts).await?;
        Ok(())
    }

    fn committed(&self) {
        self.live.appended();
        self.doorbell.ring();
    }
}

/// Whether somebody asked for the event and may see it, as things are now; once more when it is sent.
fn wants(listener: &Listener, event: &Event, module: &str, text: &Value) -> bool {
    let is_asked_for = listener.event_types.is_empty() || listener.event_types.contains(&event.name());
    is_asked_for && may_see(&roles(listener.roles()), module, text)
}

/// `/bhiv/crm` is `crm`.
fn module(event: &Event) -> &str {
    event.source.rsplit('/').next().unwrap_or_default()
}
