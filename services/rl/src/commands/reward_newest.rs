use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::learn::learn;
use crate::domain::reward::Reward;
use crate::store::decision;

/// Rewards the newest decision about something that has no outcome yet. If there is none, nothing is to be
/// learned.
#[derive(Debug)]
pub struct RewardNewest {
    /// What the decision is about.
    pub reference: String,
    /// What kind of decision; any, unless it says otherwise.
    pub kind: Option<&'static str>,
    /// How it turned out.
    pub reward: Reward,
}

impl Command for RewardNewest {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let found = decision::newest_waiting(tx.conn(), &self.reference, self.kind).await?;
        if let Some(found) = found {
            learn(tx, &found, self.reward, None).await?;
        }
        Ok(())
    }
}
