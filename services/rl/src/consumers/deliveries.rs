use bhiv_events::Event;
use bhiv_events::logistics::{DeliveryCompleted, DeliveryDelayed, DeliveryFailed};
use bhiv_outbox::{Command as _, Failure, Handle, Tx};
use uuid::Uuid;

use crate::commands::reward_newest::RewardNewest;
use crate::commands::settle::Told;
use crate::domain::reward::Reward;

/// delivery_delayed -> whoever was chosen for it did not arrive in time.
pub struct RewardTheDelayed;

impl Handle<DeliveryDelayed> for RewardTheDelayed {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryDelayed) -> Result<(), Failure> {
        reward(tx, delivery.delivery_id, &[("time", Reward::WORST)]).await
    }
}

/// delivery_completed -> whoever was chosen for it arrived; in time, unless it was delayed before.
pub struct RewardTheCompleted;

impl Handle<DeliveryCompleted> for RewardTheCompleted {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryCompleted) -> Result<(), Failure> {
        reward(tx, delivery.delivery_id, &[("time", Reward::BEST), ("success", Reward::BEST)]).await
    }
}

/// delivery_failed -> whoever was chosen for it did not hand it over, neither in time nor at all.
pub struct RewardTheFailed;

impl Handle<DeliveryFailed> for RewardTheFailed {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryFailed) -> Result<(), Failure> {
        reward(tx, delivery.delivery_id, &[("time", Reward::WORST), ("success", Reward::WORST)]).await
    }
}

async fn reward(tx: &mut Tx, delivery_id: Uuid, parts: &[(&'static str, Reward)]) -> Result<(), Failure> {
    for (part, reward) in parts {
        let told = Told::News { part, reward: *reward, alone: false };
        RewardNewest { reference: format!("delivery/{delivery_id}"), kinds: &[], told }.run(tx).await?;
    }
    Ok(())
}
