use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::settle::{close, tell};
use crate::domain::parts::compose;
use crate::store::decision::{self, Decision};
use crate::store::policy;

/// How many decisions one transaction closes.
pub const AT_A_TIME: usize = 200;

/// Closes decisions whose outcome is waited for no longer: with the parts of it that are known, or with the reward that
/// counts when nothing was heard, or without. Answers how many.
#[derive(Debug)]
pub struct CloseDecisions;

impl Command for CloseDecisions {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let limit = i64::try_from(AT_A_TIME).unwrap_or(i64::MAX);
        let overdue = decision::overdue(tx.conn(), now, limit).await?;
        let count = overdue.len();
        for before in overdue {
            let row = policy::find(tx.conn(), &before.kind).await?;
            let settings = row.map(|row| row.settings.0).unwrap_or_default();
            let reward = compose(&settings.parts, &before.parts.0).or(settings.default_reward);
            let mut after = Decision { version: before.version + 1, ..before };
            close(&mut after, reward, now);
            decision::update(tx.conn(), &after).await?;
            tx.follow(after.correlation_id);
            tell(tx, &after);
        }
        Ok(count)
    }
}
