use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::move_order::{move_stock, write_move};
use super::note_tracking::note_status;
use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::{DeliveryId, OrderId};
use crate::domain::order::OrderStatus;
use crate::events;
use crate::store::delivery::{self, Delivery};
use crate::store::order::{self, OrderHead};

/// Moves a delivery on, and its order with it.
#[derive(Debug)]
pub struct MoveDelivery {
    /// Which delivery.
    pub id: DeliveryId,
    /// Where it goes.
    pub status: DeliveryStatus,
    /// Why.
    pub reason: Option<String>,
}

/// Why a delivery stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum MoveDeliveryError {
    #[error("there is no delivery {0}")]
    NotFound(DeliveryId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("its order: {refusal}")]
    Order {
        /// The order.
        id: OrderId,
        /// Why that stays where it is.
        refusal: IllegalTransition,
    },
}

impl Refusal for MoveDeliveryError {}

impl Command for MoveDelivery {
    type Output = Delivery;
    type Refusal = MoveDeliveryError;

    fn is_alone(&self) -> bool {
        self.status.takes_order_to().is_some_and(OrderStatus::moves_stock)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Delivery, Fault<MoveDeliveryError>> {
        let found = delivery::find(tx.conn(), self.id).await?;
        let found = found.ok_or(MoveDeliveryError::NotFound(self.id))?;
        let order = order::lock(tx.conn(), found.order_id).await?;
        let before = delivery::lock(tx.conn(), self.id).await?;
        let (Some(order), Some(before)) = (order, before) else {
            return Err(MoveDeliveryError::NotFound(self.id).into());
        };
        let status = before.status.become_(self.status).map_err(MoveDeliveryError::from)?;
        tx.continue_story(before.correlation_id);
        take_along(tx, &order, &before, status).await?;
        let after = Delivery {
            status,
            status_reason: self.reason.clone(),
            version: before.version + 1,
            updated_at: tx.now(),
            ..before.clone()
        };
        delivery::update(tx.conn(), &after).await?;
        note_status(tx, &after).await?;
        events::delivery_came(tx, &after, order.opportunity_id);
        tx.change(
            "delivery.move",
            format!("delivery/{}", after.id),
            after.version,
            Some(&before),
            Some(&after),
        );
        Ok(after)
    }
}

/// An order is dispatched with its first delivery and delivered with the first that arrives.
async fn take_along(
    tx: &mut Tx,
    order: &OrderHead,
    delivery: &Delivery,
    status: DeliveryStatus,
) -> Result<(), Fault<MoveDeliveryError>> {
    let Some(to) = status.takes_order_to().filter(|to| *to != order.status) else { return Ok(()) };
    let refused = |refusal| MoveDeliveryError::Order { id: order.id, refusal };
    let status = order.status.become_(to).map_err(refused)?;
    let reason = Some(format!("delivery/{}", delivery.id));
    let moved = write_move(tx, order, OrderHead { status, status_reason: reason, ..order.clone() }).await?;
    move_stock(tx, &moved).await?;
    Ok(())
}
