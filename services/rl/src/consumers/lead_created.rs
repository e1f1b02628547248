use bhiv_events::Event;
use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::score_lead::ScoreLead;

/// lead_created -> the lead gets its score.
pub struct ScoreTheLead;

impl Handle<LeadCreated> for ScoreTheLead {
    async fn handle(&self, tx: &mut Tx, _: &Event, lead: LeadCreated) -> Result<(), Failure> {
        ScoreLead(lead).run(tx).await?;
        Ok(())
    }
}
