use bhiv_events::Event;
use bhiv_events::rl::LeadScored;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::score_lead::ScoreLead;

/// lead_scored -> the lead has its score.
pub struct ScoreTheLead;

impl Handle<LeadScored> for ScoreTheLead {
    async fn handle(&self, tx: &mut Tx, _: &Event, scored: LeadScored) -> Result<(), Failure> {
        ScoreLead { id: scored.lead_id.into(), score: scored.score }.run(tx).await?;
        Ok(())
    }
}
