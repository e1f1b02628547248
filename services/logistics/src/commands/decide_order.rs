use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::move_order::write_move;
use crate::domain::decision::Decision;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::store::order::{self, OrderHead};

/// Moves a pending order to where a decision sends it. An order that is not pending any more was decided by
/// somebody else, and stays as it is.
#[derive(Debug)]
pub struct DecideOrder {
    /// Which order.
    pub id: OrderId,
    /// What was decided.
    pub decision: Decision,
    /// Where that can be looked up.
    pub reason: String,
}

impl Command for DecideOrder {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Some(before) = order::lock(tx.conn(), self.id).await? else { return Ok(()) };
        if before.status != OrderStatus::Pending {
            return Ok(());
        }
        let moved = OrderHead {
            status: self.decision.status(),
            status_reason: Some(self.reason.clone()),
            priority: self.decision.priority(before.priority),
            ..before.clone()
        };
        write_move(tx, &before, moved).await?;
        Ok(())
    }
}
