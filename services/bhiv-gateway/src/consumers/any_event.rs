use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};
use serde_json::Value;

use crate::changes::Changes;
use crate::domain::visible::{may_read, viewer};
use crate::live::Live;
use crate::store::live_event;
use crate::store::subscription::{self, Listener};
use crate::store::webhook::{self, NewDelivery};
use crate::webhooks::Doorbell;

/// Any event -> the live streams show it, webhooks have it to deliver, and no answer of its module from before is
/// given any more. What is about somebody who was forgotten, and comes late, is kept nowhere.
pub struct ShowIt {
    /// The streams.
    pub live: Live,
    /// Who delivers.
    pub doorbell: Doorbell,
    /// The answers.
    pub changes: Changes,
}

impl HandleAll for ShowIt {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let modules: Vec<_> = events.iter().map(|event| module(event)).collect();
        self.changes.told(&modules);
        let erased = tx.erased_among(events).await?;
        let events: Vec<_> =
            events.iter().zip(erased).filter(|(_, is_erased)| !is_erased).map(|(event, _)| *event).collect();
        let modules: Vec<_> = events.iter().map(|event| module(event)).collect();
        let texts: Vec<Value> =
            events.iter().map(|event| serde_json::to_value(event).unwrap_or_default()).collect();
        let now = tx.now();
        let listeners = subscription::listeners(tx.conn(), now).await?;
        let mut deliveries = Vec::new();
        for ((event, module), text) in events.iter().zip(&modules).zip(&texts) {
            for listener in listeners.iter().filter(|listener| wants(listener, event, module)) {
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

/// Whether somebody asked for the event and may read its module now. Whether they may see it is asked when it is sent.
fn wants(listener: &Listener, event: &Event, module: &str) -> bool {
    let is_asked_for = listener.event_types.is_empty() || listener.event_types.contains(&event.name());
    is_asked_for && may_read(&viewer("", None, None, &listener.roles, listener.scope.as_deref()), module)
}

/// `/bhiv/crm` is `crm`.
pub(super) fn module(event: &Event) -> &str {
    event.source.rsplit('/').next().unwrap_or_default()
}
