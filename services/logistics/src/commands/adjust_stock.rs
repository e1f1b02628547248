use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::purchase::reorder;
use super::stock_flow::{lock_products, serve_waiting};
use crate::domain::ids::StockId;
use crate::domain::movement::MovementKind;
use crate::domain::stock::{MOST, StockChange, is_low};
use crate::events;
use crate::store::movement::{self, Movement};
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

    fn is_alone(&self) -> bool {
        self.change.adjust.is_some()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Stock, Fault<AdjustStockError>> {
        let found = stock::find(tx.conn(), self.id).await?;
        let found = found.ok_or(AdjustStockError::NotFound(self.id))?;
        // All of the product, because what comes may be promised to those who wait for it.
        let product = found.product_id;
        let mut locked = lock_products(tx, std::slice::from_ref(&product)).await?;
        let before = locked.get(&self.id).cloned().ok_or(AdjustStockError::NotFound(self.id))?;
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
            reorder(tx, &after).await?;
        }
        let entity = format!("stock/{}", after.id);
        tx.change("stock.adjust", entity, after.version, Some(&before), Some(&after));
        let came = after.on_hand - before.on_hand;
        if came != 0 {
            let movement = Movement {
                id: tx.id(),
                stock_id: after.id,
                kind: MovementKind::Adjustment,
                on_hand: came,
                reserved: 0,
                reference: None,
                reason: after.change_reason.clone(),
                actor: tx.actor().to_owned(),
                at: tx.now(),
            };
            movement::insert(tx.conn(), &[movement]).await?;
        }
        locked.insert(after.id, after.clone());
        if came > 0 {
            serve_waiting(tx, &mut locked, &product).await?;
        }
        Ok(locked.remove(&self.id).unwrap_or(after))
    }
}
