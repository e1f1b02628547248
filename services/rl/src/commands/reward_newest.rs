use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::settle::{Told, settle};
use crate::store::decision;

/// Tells the newest decision about something that is still open what became of it; of each of these kinds, or of
/// whatever kind. If there is none, nothing is to be learned.
#[derive(Debug)]
pub struct RewardNewest {
    /// What the decision is about.
    pub reference: String,
    /// Of each of these kinds of decision the newest one; if none is named, the newest of all.
    pub kinds: &'static [&'static str],
    /// What became of it.
    pub told: Told,
}

impl Command for RewardNewest {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let kinds: Vec<_> =
            if self.kinds.is_empty() { vec![None] } else { self.kinds.iter().copied().map(Some).collect() };
        for kind in kinds {
            if let Some(id) = decision::newest_open(tx.conn(), &self.reference, kind).await? {
                settle(tx, id, self.told.clone(), None).await?;
            }
        }
        Ok(())
    }
}
