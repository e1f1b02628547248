use bhiv_events::Event;
use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::score_lead::ScoreLead;
use crate::domain::served::Served;

/// lead_created -> the lead gets its score.
pub struct ScoreTheLead(pub Served);

impl Handle<LeadCreated> for ScoreTheLead {
    async fn handle(&self, tx: &mut Tx, event: &Event, lead: LeadCreated) -> Result<(), Failure> {
        if !tx.mentions_erased(event).await? {
            ScoreLead { lead, served: self.0.clone() }.run(tx).await?;
        }
        Ok(())
    }
}
