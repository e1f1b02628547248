use bhiv_db::Error;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::purchase::reorder;
use crate::domain::movement::MovementKind;
use crate::domain::stock::{NewStock, is_low};
use crate::events;
use crate::store::movement::{self, Movement};
use crate::store::stock::{self, Stock};

/// Begins to keep a product at a location.
#[derive(Debug)]
pub struct CreateStock(pub NewStock);

/// Why it is not kept there.
#[derive(Debug, thiserror::Error)]
pub enum CreateStockError {
    #[error("the product is kept at this location already")]
    Exists,
}

impl Refusal for CreateStockError {}

impl Command for CreateStock {
    type Output = Stock;
    type Refusal = CreateStockError;

    async fn run(&self, tx: &mut Tx) -> Result<Stock, Fault<CreateStockError>> {
        let new = self.0.clone();
        let stock = Stock {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            product_id: new.product_id,
            location: new.location,
            on_hand: new.on_hand,
            reserved: 0,
            available: new.on_hand,
            reorder_level: new.reorder_level,
            change_reason: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        stock::insert(tx.conn(), &stock).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("stock_place") {
                Fault::Refused(CreateStockError::Exists)
            } else {
                Fault::Database(error)
            }
        })?;
        // A level of 0 asks for nothing while there never was any.
        if stock.reorder_level > 0 && is_low(stock.available, stock.reorder_level) {
            events::inventory_low(tx, &stock);
            reorder(tx, &stock).await?;
        }
        let opening = Movement {
            id: tx.id(),
            stock_id: stock.id,
            kind: MovementKind::Opening,
            on_hand: stock.on_hand,
            reserved: 0,
            reference: None,
            reason: None,
            actor: tx.actor().to_owned(),
            at: tx.now(),
        };
        movement::insert(tx.conn(), &[opening]).await?;
        tx.change("stock.create", format!("stock/{}", stock.id), 1, None, Some(&stock));
        Ok(stock)
    }
}
