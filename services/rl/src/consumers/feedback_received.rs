use bhiv_events::Event;
use bhiv_events::task::FeedbackReceived;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::reward_newest::RewardNewest;
use crate::commands::settle::Told;
use crate::domain::reward::Reward;

/// feedback_received -> what was decided about the order turned out as its customer says.
pub struct RewardTheOrder;

impl Handle<FeedbackReceived> for RewardTheOrder {
    async fn handle(&self, tx: &mut Tx, _: &Event, feedback: FeedbackReceived) -> Result<(), Failure> {
        let rating = feedback.rating;
        let reward = Reward::of_rating(rating)
            .ok_or_else(|| Failure::Never(format!("a rating is from 1 to 5, not {rating}")))?;
        let reference = format!("order/{}", feedback.order_id);
        let told = Told::News { part: "satisfaction", reward, alone: true };
        RewardNewest { reference, kinds: &[], told }.run(tx).await?;
        Ok(())
    }
}
