use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::return_order::return_all;
use super::ship_order::ship_all;
use super::stock_flow::release;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::events;
use crate::store::order::{self, Order, OrderHead};
use crate::store::order_item;

/// Moves an order on.
#[derive(Debug)]
pub struct MoveOrder {
    /// Which order.
    pub id: OrderId,
    /// Where it goes.
    pub status: OrderStatus,
    /// Why.
    pub reason: Option<String>,
}

/// Why an order stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum MoveOrderError {
    #[error("there is no order {0}")]
    NotFound(OrderId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("nothing of it is there to leave: all of it waits for stock")]
    Nothing,
}

impl Refusal for MoveOrderError {}

impl Command for MoveOrder {
    type Output = Order;
    type Refusal = MoveOrderError;

    fn is_alone(&self) -> bool {
        self.status.moves_stock()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Order, Fault<MoveOrderError>> {
        let before = order::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(MoveOrderError::NotFound(self.id))?;
        let status = before.status.become_(self.status).map_err(MoveOrderError::from)?;
        if status == OrderStatus::Dispatched {
            let items = order_item::of(tx.conn(), self.id).await?;
            if items.iter().all(|item| item.shippable() == 0) {
                return Err(MoveOrderError::Nothing.into());
            }
        }
        let moved = OrderHead { status, status_reason: self.reason.clone(), ..before.clone() };
        let head = write_move(tx, &before, moved).await?;
        move_stock(tx, &head).await?;
        let items = order_item::of(tx.conn(), head.id).await?;
        Ok(Order { head, items })
    }
}

/// Takes the stock of an order to where its status says: away with it, back, or to those who wait for it.
pub async fn move_stock(tx: &mut Tx, order: &OrderHead) -> Result<(), DieselError> {
    match order.status {
        OrderStatus::Cancelled => release(tx, order.id).await,
        OrderStatus::Dispatched => ship_all(tx, order.id).await,
        OrderStatus::Returned => return_all(tx, order.id).await,
        OrderStatus::Pending
        | OrderStatus::Approved
        | OrderStatus::OnHold
        | OrderStatus::Picking
        | OrderStatus::Delivered => Ok(()),
    }
}

/// Writes that a locked order has moved: a part of every command that moves one.
pub async fn write_move(tx: &mut Tx, before: &OrderHead, moved: OrderHead) -> Result<OrderHead, DieselError> {
    let after = OrderHead { version: before.version + 1, updated_at: tx.now(), ..moved };
    order::update(tx.conn(), &after).await?;
    tx.continue_story(after.correlation_id);
    events::order_moved(tx, &after, before.status);
    tx.change("order.move", format!("order/{}", after.id), after.version, Some(before), Some(&after));
    Ok(after)
}
