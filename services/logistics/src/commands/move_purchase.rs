use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use crate::domain::ids::PurchaseOrderId;
use crate::domain::purchase_order::PurchaseStatus;
use crate::store::purchase_order::{self, PurchaseOrder};

/// An order to a supplier is sent, or not wanted any more.
#[derive(Debug)]
pub struct MovePurchase {
    /// Which.
    pub id: PurchaseOrderId,
    /// Where it goes.
    pub status: PurchaseStatus,
}

/// Why it stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum MovePurchaseError {
    #[error("there is no purchase order {0}")]
    NotFound(PurchaseOrderId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("what has come is said by a receipt")]
    ByReceipt,
}

impl Refusal for MovePurchaseError {}

impl Command for MovePurchase {
    type Output = PurchaseOrder;
    type Refusal = MovePurchaseError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<PurchaseOrder, Fault<MovePurchaseError>> {
        let before = purchase_order::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(MovePurchaseError::NotFound(self.id))?;
        let status = before.status.become_(self.status).map_err(MovePurchaseError::from)?;
        if matches!(status, PurchaseStatus::PartiallyReceived | PurchaseStatus::Received) {
            return Err(MovePurchaseError::ByReceipt.into());
        }
        let after =
            PurchaseOrder { status, version: before.version + 1, updated_at: tx.now(), ..before.clone() };
        purchase_order::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("purchase_order/{}", after.id);
        tx.change("purchase_order.move", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
