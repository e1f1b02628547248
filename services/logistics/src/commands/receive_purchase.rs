use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::stock_flow::{Cause, Change, apply, lock_products, serve_waiting};
use crate::domain::ids::PurchaseOrderId;
use crate::domain::movement::MovementKind;
use crate::domain::purchase_order::PurchaseStatus;
use crate::store::purchase_order::{self, PurchaseOrder};
use crate::store::stock::{self, Stock};

/// What was ordered from a supplier has come, or some of it.
#[derive(Debug)]
pub struct ReceivePurchase {
    /// Which order.
    pub id: PurchaseOrderId,
    /// How many.
    pub quantity: i64,
}

/// Why it cannot have come.
#[derive(Debug, thiserror::Error)]
pub enum ReceivePurchaseError {
    #[error("there is no purchase order {0}")]
    NotFound(PurchaseOrderId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("{0} are still to come")]
    TooMany(i64),
}

impl Refusal for ReceivePurchaseError {}

impl Command for ReceivePurchase {
    type Output = PurchaseOrder;
    type Refusal = ReceivePurchaseError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<PurchaseOrder, Fault<ReceivePurchaseError>> {
        // Stock first: whoever finds that it has run low holds it, and looks for what is on order then.
        let found = purchase_order::find(tx.conn(), self.id).await?;
        let found = found.ok_or(ReceivePurchaseError::NotFound(self.id))?;
        lock_products(tx, std::slice::from_ref(&found.sku)).await?;
        let before = purchase_order::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(ReceivePurchaseError::NotFound(self.id))?;
        let open = before.quantity - before.received;
        let is_all = self.quantity >= open;
        let next = if is_all { PurchaseStatus::Received } else { PurchaseStatus::PartiallyReceived };
        let status = if before.status == next {
            next
        } else {
            before.status.become_(next).map_err(ReceivePurchaseError::from)?
        };
        if self.quantity > open {
            return Err(ReceivePurchaseError::TooMany(open).into());
        }
        tx.continue_story(before.correlation_id);
        let after = PurchaseOrder {
            status,
            received: before.received + self.quantity,
            version: before.version + 1,
            updated_at: tx.now(),
            ..before.clone()
        };
        purchase_order::update(tx.conn(), &after).await?;
        let entity = format!("purchase_order/{}", after.id);
        tx.change("purchase_order.receive", entity.clone(), after.version, Some(&before), Some(&after));
        self.put_away(tx, &after, entity).await?;
        Ok(after)
    }
}

impl ReceivePurchase {
    /// It is there now, and promised to those who wait for it.
    async fn put_away(
        &self,
        tx: &mut Tx,
        order: &PurchaseOrder,
        entity: String,
    ) -> Result<(), bhiv_db::DieselError> {
        let mut locked = lock_products(tx, std::slice::from_ref(&order.sku)).await?;
        let there = locked.values().find(|row| row.location == order.location).map(|row| row.id);
        let stock_id = if let Some(id) = there {
            id
        } else {
            let empty = Stock {
                id: tx.id().into(),
                version: 1,
                correlation_id: order.correlation_id,
                product_id: order.sku.clone(),
                location: order.location.clone(),
                on_hand: 0,
                reserved: 0,
                available: 0,
                reorder_level: 0,
                change_reason: None,
                created_at: tx.now(),
                updated_at: tx.now(),
            };
            stock::insert(tx.conn(), &empty).await?;
            tx.change("stock.create", format!("stock/{}", empty.id), 1, None, Some(&empty));
            let id = empty.id;
            locked.insert(id, empty);
            id
        };
        let change = Change { stock_id, kind: MovementKind::Receipt, on_hand: self.quantity, reserved: 0 };
        apply(tx, &mut locked, &[change], &Cause { reference: Some(entity), reason: None }).await?;
        serve_waiting(tx, &mut locked, &order.sku).await
    }
}
