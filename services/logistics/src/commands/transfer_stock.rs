use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::stock_flow::{Cause, Change, apply, lock_products};
use crate::domain::ids::StockId;
use crate::domain::movement::MovementKind;
use crate::domain::stock::NewTransfer;
use crate::store::stock::{self, Stock};

/// Brings some of a product to another location.
#[derive(Debug)]
pub struct TransferStock {
    /// From where.
    pub id: StockId,
    /// How much, and to where.
    pub transfer: NewTransfer,
}

/// Why it stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum TransferStockError {
    #[error("there is no stock {0}")]
    NotFound(StockId),
    #[error("it is there already")]
    SameLocation,
    #[error("only {available} can be taken")]
    Insufficient {
        /// How many are there and not promised.
        available: i64,
    },
}

impl Refusal for TransferStockError {}

impl Command for TransferStock {
    type Output = Stock;
    type Refusal = TransferStockError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Stock, Fault<TransferStockError>> {
        let NewTransfer { location, quantity, reason } = self.transfer.clone();
        let found = stock::find(tx.conn(), self.id).await?;
        let found = found.ok_or(TransferStockError::NotFound(self.id))?;
        let mut locked = lock_products(tx, std::slice::from_ref(&found.product_id)).await?;
        let from = locked.get(&self.id).cloned().ok_or(TransferStockError::NotFound(self.id))?;
        if from.location == location {
            return Err(TransferStockError::SameLocation.into());
        }
        if from.available < quantity {
            return Err(TransferStockError::Insufficient { available: from.available }.into());
        }
        tx.continue_story(from.correlation_id);
        let there = locked.values().find(|row| row.location == location).map(|row| row.id);
        let to = if let Some(id) = there {
            id
        } else {
            let empty = Stock {
                id: tx.id().into(),
                version: 1,
                location,
                on_hand: 0,
                reserved: 0,
                available: 0,
                reorder_level: 0,
                change_reason: None,
                created_at: tx.now(),
                updated_at: tx.now(),
                ..from.clone()
            };
            stock::insert(tx.conn(), &empty).await?;
            tx.change("stock.create", format!("stock/{}", empty.id), 1, None, Some(&empty));
            let id = empty.id;
            locked.insert(id, empty);
            id
        };
        let change =
            |stock_id, on_hand| Change { stock_id, kind: MovementKind::Transfer, on_hand, reserved: 0 };
        let cause = Cause { reference: Some(format!("stock/{}", self.id)), reason };
        apply(tx, &mut locked, &[change(self.id, -quantity), change(to, quantity)], &cause).await?;
        Ok(locked.remove(&to).unwrap_or(from))
    }
}
