use std::collections::BTreeMap;

use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::move_order::write_move;
use super::stock_flow::{Cause, Change, apply, lock_products, release, serve_waiting};
use crate::domain::ids::OrderId;
use crate::domain::movement::MovementKind;
use crate::domain::order::{NewReturn, OrderStatus};
use crate::store::order::{self, Order, OrderHead};
use crate::store::order_item::{self, OrderItem};
use crate::store::reservation;

/// Parts of an order come back.
#[derive(Debug)]
pub struct ReturnOrder {
    /// Which order.
    pub id: OrderId,
    /// What comes back.
    pub what: NewReturn,
}

/// Why nothing comes back.
#[derive(Debug, thiserror::Error)]
pub enum ReturnOrderError {
    #[error("there is no order {0}")]
    NotFound(OrderId),
    #[error("the order is {0}; what was dispatched or delivered can come back")]
    NotReturnable(OrderStatus),
    #[error("of line {line} {returnable} can come back")]
    TooMany {
        /// Its number.
        line: i32,
        /// How many can.
        returnable: i32,
    },
    #[error("nothing of the order can come back")]
    Nothing,
}

impl Refusal for ReturnOrderError {}

impl Command for ReturnOrder {
    type Output = Order;
    type Refusal = ReturnOrderError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Order, Fault<ReturnOrderError>> {
        let before = order::lock(tx.conn(), self.id).await?.ok_or(ReturnOrderError::NotFound(self.id))?;
        if !matches!(before.status, OrderStatus::Dispatched | OrderStatus::Delivered) {
            return Err(ReturnOrderError::NotReturnable(before.status).into());
        }
        let items = order_item::of(tx.conn(), self.id).await?;
        let mut parts = BTreeMap::new();
        match &self.what.lines {
            None => parts.extend(items.iter().map(|item| (item.line, item.returnable()))),
            Some(lines) => {
                for part in lines {
                    *parts.entry(part.line).or_insert(0) += part.quantity;
                }
            }
        }
        parts.retain(|_, quantity| *quantity > 0);
        for (line, quantity) in &parts {
            let item = items.iter().find(|item| item.line == *line);
            let returnable = item.map_or(0, OrderItem::returnable);
            if *quantity > returnable {
                return Err(ReturnOrderError::TooMany { line: *line, returnable }.into());
            }
        }
        if parts.is_empty() {
            return Err(ReturnOrderError::Nothing.into());
        }
        bring_back(tx, self.id, items, &parts, self.what.restock).await?;
        let items = order_item::of(tx.conn(), self.id).await?;
        // What has not left is not wanted any more when everything else is back.
        let is_all = items.iter().all(|item| item.returnable() == 0);
        let status = if is_all { OrderStatus::Returned } else { before.status };
        let moved = OrderHead { status, status_reason: self.what.reason.clone(), ..before.clone() };
        let head = write_move(tx, &before, moved).await?;
        if is_all {
            release(tx, self.id).await?;
        }
        Ok(Order { head, items: order_item::of(tx.conn(), self.id).await? })
    }
}

/// Everything comes back, and nobody says that it can be sold again.
pub async fn return_all(tx: &mut Tx, order_id: OrderId) -> Result<(), DieselError> {
    let items = order_item::of(tx.conn(), order_id).await?;
    let parts = items.iter().map(|item| (item.line, item.returnable())).collect();
    bring_back(tx, order_id, items, &parts, false).await?;
    release(tx, order_id).await
}

async fn bring_back(
    tx: &mut Tx,
    order_id: OrderId,
    items: Vec<OrderItem>,
    parts: &BTreeMap<i32, i32>,
    restock: bool,
) -> Result<(), DieselError> {
    let skus: Vec<_> = items.iter().map(|item| item.sku.clone()).collect();
    let mut locked = lock_products(tx, &skus).await?;
    let mut reservations = reservation::of(tx.conn(), order_id).await?;
    let mut changes = Vec::new();
    for mut item in items {
        let quantity = parts.get(&item.line).copied().unwrap_or(0);
        if quantity == 0 {
            continue;
        }
        let mut open = if restock { quantity } else { 0 };
        for row in reservations.iter_mut().filter(|row| row.line == item.line) {
            let back = row.shipped.min(open);
            if back == 0 {
                continue;
            }
            open -= back;
            row.shipped -= back;
            reservation::update(tx.conn(), row).await?;
            changes.push(Change {
                stock_id: row.stock_id,
                kind: MovementKind::Return,
                on_hand: back.into(),
                reserved: 0,
            });
        }
        item.returned += quantity;
        order_item::update(tx.conn(), order_id, &item).await?;
    }
    let cause = Cause { reference: Some(format!("order/{order_id}")), reason: None };
    apply(tx, &mut locked, &changes, &cause).await?;
    if !changes.is_empty() {
        for sku in skus {
            serve_waiting(tx, &mut locked, &sku).await?;
        }
    }
    Ok(())
}
