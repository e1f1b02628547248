use bhiv_events::Event;
use bhiv_events::crm::OpportunityWon;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::reward_newest::RewardNewest;
use crate::commands::score_lead;
use crate::domain::reward::Reward;

/// opportunity_won -> its lead was worth contacting.
pub struct RewardTheLead;

impl Handle<OpportunityWon> for RewardTheLead {
    async fn handle(&self, tx: &mut Tx, _: &Event, opportunity: OpportunityWon) -> Result<(), Failure> {
        let reference = format!("lead/{}", opportunity.lead_id);
        RewardNewest { reference, kind: Some(score_lead::KIND), reward: Reward::BEST }.run(tx).await?;
        Ok(())
    }
}
