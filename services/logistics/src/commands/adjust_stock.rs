use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::ids::StockId;
use crate::domain::stock::{MOST, StockChange, is_low};
use crate::events;
use crate::store::stock::{self, Stock};

/// Notes that some of a product came or went, or that it should be ordered again at another level.
#[derive(Debug)]
pub struct AdjustStock {
    /// Which stock.
    pub id: StockId,
    /// What changes.
    pub change: StockChange,
}

/// Why stock stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AdjustStockError {
    #[error("there is no stock {0}")]
    NotFound(StockId),
    #[error("only {available} can be taken")]
    Insufficient {
        /// How many are there and not promised.
        available: i64,
    },
    #[error("no more than {MOST} can be there")]
    TooMuch,
}

impl Refusal for AdjustStockError {}

impl Command for AdjustStock {
    type Output = Stock;
    type Refusal = AdjustStockError;

    async fn run(&self, tx: &mut Tx) -> Result<Stock, Fault<AdjustStockError>> {
        let before = stock::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(AdjustStockError::NotFound(self.id))?;
        let on_hand = before.on_hand + self.change.adjust.unwrap_or(0);
        let reorder_level = self.change.reorder_level.unwrap_or(before.reorder_level);
        if on_hand < before.reserved {
            return Err(AdjustStockError::Insufficient { available: before.available }.into());
        }
        if on_hand > MOST {
            return Err(AdjustStockError::TooMuch.into());
        }
        if (on_hand, reorder_level) == (before.on_hand, before.reorder_level) {
            return Ok(before);
        }
        let after = Stock {
            on_hand,
            available: on_hand - before.reserved,
            reorder_level,
            change_reason: self.change.reason.clone(),
            version: before.version + 1,
            updated_at: tx.now(),
            ..before.clone()
        };
        stock::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let was_low = is_low(before.available, before.reorder_level);
        if is_low(after.available, after.reorder_level) && !was_low {
            events::inventory_low(tx, &after);
        }
        tx.audit("stock.adjust", format!("stock/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
