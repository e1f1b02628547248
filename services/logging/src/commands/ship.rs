use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::ids::EntryId;
use crate::store::shipping;

/// How long one replica ships before another one may.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Asks whether this replica may ship for a while.
#[derive(Clone, Copy, Debug)]
pub struct TakeLease {
    /// Which replica.
    pub holder: Uuid,
}

impl Command for TakeLease {
    type Output = bool;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<bool, Fault<Infallible>> {
        let now = tx.now();
        Ok(shipping::lease(tx.conn(), self.holder, now, now + LEASE).await?)
    }
}

/// Notes what was taken, and what never will be.
#[derive(Clone, Debug, Default)]
pub struct NoteShipped {
    /// Those that are there.
    pub taken: Vec<EntryId>,
    /// Those that are refused, and why.
    pub refused: Vec<(EntryId, String)>,
}

impl Command for NoteShipped {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let now = tx.now();
        for (id, reason) in &self.refused {
            shipping::refuse(tx.conn(), *id, reason, now).await?;
        }
        let refused = self.refused.iter().map(|(id, _)| *id);
        let done: Vec<_> = self.taken.iter().copied().chain(refused).collect();
        shipping::shipped(tx.conn(), &done).await?;
        Ok(())
    }
}
