use std::collections::BTreeMap;

use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::move_order::write_move;
use super::stock_flow::{Cause, Change, apply, lock_products};
use crate::domain::ids::OrderId;
use crate::domain::movement::MovementKind;
use crate::domain::order::{NewShipment, OrderStatus};
use crate::store::order::{self, Order, OrderHead};
use crate::store::order_item::{self, OrderItem};
use crate::store::reservation;

/// Parts of an order leave.
#[derive(Debug)]
pub struct ShipOrder {
    /// Which order.
    pub id: OrderId,
    /// What leaves.
    pub shipment: NewShipment,
}

/// Why nothing leaves.
#[derive(Debug, thiserror::Error)]
pub enum ShipOrderError {
    #[error("there is no order {0}")]
    NotFound(OrderId),
    #[error("the order is {0}; what is approved, picked, dispatched or delivered in part can leave")]
    NotShippable(OrderStatus),
    #[error("of line {line} {shippable} can leave")]
    TooMany {
        /// Its number.
        line: i32,
        /// How many can.
        shippable: i32,
    },
    #[error("nothing of the order can leave")]
    Nothing,
}

impl Refusal for ShipOrderError {}

impl Command for ShipOrder {
    type Output = Order;
    type Refusal = ShipOrderError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Order, Fault<ShipOrderError>> {
        let before = order::lock(tx.conn(), self.id).await?.ok_or(ShipOrderError::NotFound(self.id))?;
        if !before.status.is_shippable() {
            return Err(ShipOrderError::NotShippable(before.status).into());
        }
        // The lines as they are once nobody else can promise to them.
        let items = order_item::of(tx.conn(), self.id).await?;
        let skus: Vec<_> = items.iter().map(|item| item.sku.clone()).collect();
        lock_products(tx, &skus).await?;
        let items = order_item::of(tx.conn(), self.id).await?;
        let mut parts = BTreeMap::new();
        match &self.shipment.lines {
            None => parts.extend(items.iter().map(|item| (item.line, item.shippable()))),
            Some(lines) => {
                for part in lines {
                    *parts.entry(part.line).or_insert(0) += part.quantity;
                }
            }
        }
        parts.retain(|_, quantity| *quantity > 0);
        for (line, quantity) in &parts {
            let item = items.iter().find(|item| item.line == *line);
            let shippable = item.map_or(0, OrderItem::shippable);
            if *quantity > shippable {
                return Err(ShipOrderError::TooMany { line: *line, shippable }.into());
            }
        }
        if parts.is_empty() {
            return Err(ShipOrderError::Nothing.into());
        }
        let reason = self.shipment.reason.clone();
        // What was missing may follow when the customer has the rest.
        let status = match before.status {
            OrderStatus::Delivered => OrderStatus::Delivered,
            _ => OrderStatus::Dispatched,
        };
        let moved = OrderHead { status, status_reason: reason, ..before.clone() };
        let head = write_move(tx, &before, moved).await?;
        ship(tx, self.id, items, &parts).await?;
        let items = order_item::of(tx.conn(), self.id).await?;
        Ok(Order { head, items })
    }
}

/// Everything that can leave does.
pub async fn ship_all(tx: &mut Tx, order_id: OrderId) -> Result<(), DieselError> {
    let items = order_item::of(tx.conn(), order_id).await?;
    let parts = items.iter().map(|item| (item.line, item.shippable())).collect();
    ship(tx, order_id, items, &parts).await
}

/// So many of these lines leave: no more than can.
async fn ship(
    tx: &mut Tx,
    order_id: OrderId,
    items: Vec<OrderItem>,
    parts: &BTreeMap<i32, i32>,
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
        let mut open = quantity;
        for row in reservations.iter_mut().filter(|row| row.line == item.line) {
            let taken = row.quantity.min(open);
            if taken == 0 {
                continue;
            }
            open -= taken;
            row.quantity -= taken;
            row.shipped += taken;
            reservation::update(tx.conn(), row).await?;
            changes.push(Change {
                stock_id: row.stock_id,
                kind: MovementKind::Shipment,
                on_hand: -i64::from(taken),
                reserved: -i64::from(taken),
            });
        }
        item.shipped += quantity;
        order_item::update(tx.conn(), order_id, &item).await?;
    }
    let cause = Cause { reference: Some(format!("order/{order_id}")), reason: None };
    apply(tx, &mut locked, &changes, &cause).await
}
