use bhiv_events::{ConsentApplied, Event, Producer};
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::commands::note_application::NoteApplication;
use crate::store::applied::TakenUp;

/// consent_applied, of whoever acts by consent -> where a person stands says so.
pub struct NoteIt;

impl HandleAny for NoteIt {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let malformed = |error| Failure::Never(format!("the data is no consent_applied: {error}"));
        let ConsentApplied { consent_id, .. } = event.read().map_err(malformed)?;
        let module = Producer::ALL.into_iter().find(|producer| producer.source() == event.source);
        let module = module.ok_or_else(|| Failure::Never(format!("{} is no module", event.source)))?;
        let applied = TakenUp {
            consent_id,
            version: event.sequence,
            module: module.prefix().to_owned(),
            applied_at: event.time,
        };
        NoteApplication(applied).run(tx).await.map_err(Failure::from)
    }
}
