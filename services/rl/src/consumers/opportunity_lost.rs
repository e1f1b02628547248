use bhiv_events::Event;
use bhiv_events::crm::OpportunityLost;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::reward_newest::RewardNewest;
use crate::commands::score_lead;
use crate::domain::reward::Reward;

/// opportunity_lost -> its lead was not worth contacting.
pub struct RewardTheLead;

impl Handle<OpportunityLost> for RewardTheLead {
    async fn handle(&self, tx: &mut Tx, _: &Event, opportunity: OpportunityLost) -> Result<(), Failure> {
        let reference = format!("lead/{}", opportunity.lead_id);
        RewardNewest { reference, kind: Some(score_lead::KIND), reward: Reward::WORST }.run(tx).await?;
        Ok(())
    }
}
