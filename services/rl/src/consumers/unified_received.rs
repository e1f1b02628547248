use bhiv_events::Event;
use bhiv_events::core::UnifiedReceived;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::score_event::ScoreEvent;
use crate::domain::served::Served;

/// unified_received -> the event gets its score.
pub struct ScoreTheEvent(pub Served);

impl Handle<UnifiedReceived> for ScoreTheEvent {
    async fn handle(&self, tx: &mut Tx, event: &Event, unified: UnifiedReceived) -> Result<(), Failure> {
        if !tx.mentions_erased(event).await? {
            ScoreEvent { unified, served: self.0.clone() }.run(tx).await?;
        }
        Ok(())
    }
}
