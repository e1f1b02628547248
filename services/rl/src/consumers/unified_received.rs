use bhiv_events::Event;
use bhiv_events::core::UnifiedReceived;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::score_event::ScoreEvent;

/// unified_received -> the event gets its score.
pub struct ScoreTheEvent;

impl Handle<UnifiedReceived> for ScoreTheEvent {
    async fn handle(&self, tx: &mut Tx, _: &Event, unified: UnifiedReceived) -> Result<(), Failure> {
        ScoreEvent(unified).run(tx).await?;
        Ok(())
    }
}
