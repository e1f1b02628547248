use bhiv_events::Event;
use bhiv_events::crm::{OpportunityLost, OpportunityWon};
use bhiv_outbox::{Command as _, Failure, Handle, Tx};
use uuid::Uuid;

use crate::commands::reward_newest::RewardNewest;
use crate::commands::score_lead::ABOUT_LEADS;
use crate::commands::settle::Told;
use crate::domain::reward::Reward;

/// opportunity_won -> its lead was worth contacting.
pub struct RewardTheWon;

impl Handle<OpportunityWon> for RewardTheWon {
    async fn handle(&self, tx: &mut Tx, _: &Event, opportunity: OpportunityWon) -> Result<(), Failure> {
        reward(tx, opportunity.lead_id, Reward::BEST).await
    }
}

/// opportunity_lost -> its lead was not worth contacting.
pub struct RewardTheLost;

impl Handle<OpportunityLost> for RewardTheLost {
    async fn handle(&self, tx: &mut Tx, _: &Event, opportunity: OpportunityLost) -> Result<(), Failure> {
        reward(tx, opportunity.lead_id, Reward::WORST).await
    }
}

async fn reward(tx: &mut Tx, lead_id: Uuid, reward: Reward) -> Result<(), Failure> {
    let told = Told::News { part: "success", reward, alone: true };
    RewardNewest { reference: format!("lead/{lead_id}"), kinds: ABOUT_LEADS, told }.run(tx).await?;
    Ok(())
}
