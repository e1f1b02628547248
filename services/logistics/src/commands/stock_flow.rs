//! How stock changes: parts of the commands that promise it, take it and bring it back.
//!
//! Whoever changes stock locks all rows that they may change by one statement, in the order of their ids, after the
//! order and before its lines, in a transaction of their own (`Command::is_alone`). So nobody waits for somebody who
//! waits for them, and nothing is promised twice.

use std::collections::BTreeMap;

use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use super::purchase::reorder;
use crate::domain::ids::{OrderId, StockId};
use crate::domain::movement::{MovementKind, Shelf, Wanted, allocate};
use crate::domain::stock::is_low;
use crate::events;
use crate::store::movement::{self, Movement};
use crate::store::order_item;
use crate::store::reservation::{self, Reservation};
use crate::store::stock::{self, Stock};

/// How many waiting lines are served at once.
const SERVED: i64 = 500;

/// A change of one row of stock.
#[derive(Clone, Debug)]
pub struct Change {
    pub stock_id: StockId,
    pub kind: MovementKind,
    pub on_hand: i64,
    pub reserved: i64,
}

/// Why stock changes.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// For example `order/0190...`.
    pub reference: Option<String>,
    /// In words.
    pub reason: Option<String>,
}

/// Rows of stock that are locked, by their ids.
pub type Locked = BTreeMap<StockId, Stock>;

/// Locks stock by what it is.
pub async fn lock_products(tx: &mut Tx, skus: &[String]) -> Result<Locked, DieselError> {
    let rows = stock::lock_products(tx.conn(), skus).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Changes locked rows: each with its movements, its version, its history and, when it falls to its reorder level,
/// its event.
pub async fn apply(
    tx: &mut Tx,
    locked: &mut Locked,
    changes: &[Change],
    cause: &Cause,
) -> Result<(), DieselError> {
    let mut movements = Vec::new();
    let mut touched = BTreeMap::new();
    for change in changes {
        let Some(row) = locked.get_mut(&change.stock_id) else { continue };
        touched.entry(row.id).or_insert_with(|| row.clone());
        row.on_hand += change.on_hand;
        row.reserved += change.reserved;
        row.available = row.on_hand - row.reserved;
        movements.push(Movement {
            id: tx.id(),
            stock_id: change.stock_id,
            kind: change.kind,
            on_hand: change.on_hand,
            reserved: change.reserved,
            reference: cause.reference.clone(),
            reason: cause.reason.clone(),
            actor: tx.actor().to_owned(),
            at: tx.now(),
        });
    }
    if movements.is_empty() {
        return Ok(());
    }
    for (id, before) in &touched {
        let Some(row) = locked.get_mut(id) else { continue };
        row.version += 1;
        row.updated_at = tx.now();
        row.change_reason = cause.reason.clone().or_else(|| cause.reference.clone());
        stock::update(tx.conn(), row).await?;
        if is_low(row.available, row.reorder_level) && !is_low(before.available, before.reorder_level) {
            events::inventory_low(tx, row);
            reorder(tx, row).await?;
        }
        tx.change("stock.move", format!("stock/{id}"), row.version, Some(before), Some(&*row));
    }
    movement::insert(tx.conn(), &movements).await
}

/// Promises what is there to lines of an order; answers how many of which lines are missing.
pub async fn promise(
    tx: &mut Tx,
    locked: &mut Locked,
    order_id: OrderId,
    wanted: &[Wanted],
) -> Result<BTreeMap<i32, i32>, DieselError> {
    let shelves = shelves(locked);
    let allocation = allocate(wanted, &shelves);
    let rows: Vec<_> = allocation
        .promises
        .iter()
        .map(|it| Reservation {
            order_id,
            line: it.line,
            stock_id: it.key,
            quantity: it.quantity,
            shipped: 0,
        })
        .collect();
    if !rows.is_empty() {
        reservation::add(tx.conn(), &rows).await?;
        let changes: Vec<_> = rows
            .iter()
            .map(|row| Change {
                stock_id: row.stock_id,
                kind: MovementKind::Reservation,
                on_hand: 0,
                reserved: row.quantity.into(),
            })
            .collect();
        let cause = Cause { reference: Some(format!("order/{order_id}")), reason: None };
        apply(tx, locked, &changes, &cause).await?;
    }
    Ok(allocation.missing)
}

fn shelves(locked: &Locked) -> Vec<Shelf<StockId>> {
    let shelf = |row: &Stock| Shelf { key: row.id, sku: row.product_id.clone(), available: row.available };
    locked.values().map(shelf).collect()
}

/// Promises what came to those who wait for it, the oldest orders first. All stock of the product is locked.
pub async fn serve_waiting(tx: &mut Tx, locked: &mut Locked, sku: &str) -> Result<(), DieselError> {
    for waiting in reservation::waiting_for(tx.conn(), sku, SERVED).await? {
        let wanted = Wanted { line: waiting.line, sku: sku.to_owned(), quantity: waiting.quantity };
        if locked.values().all(|row| row.product_id != sku || row.available <= 0) {
            return Ok(());
        }
        let missing = promise(tx, locked, waiting.order_id, &[wanted]).await?;
        let left = missing.get(&waiting.line).copied().unwrap_or(0);
        order_item::set_backordered(tx.conn(), waiting.order_id, waiting.line, left).await?;
    }
    Ok(())
}

/// An order is not wanted any more: what was promised to it can be promised to others, who may wait for it.
pub async fn release(tx: &mut Tx, order_id: OrderId) -> Result<(), DieselError> {
    let items = order_item::of(tx.conn(), order_id).await?;
    let skus: Vec<_> = items.iter().map(|item| item.sku.clone()).collect();
    let mut locked = lock_products(tx, &skus).await?;
    if locked.is_empty() {
        return Ok(());
    }
    let mut changes = Vec::new();
    for mut row in reservation::of(tx.conn(), order_id).await? {
        if row.quantity == 0 {
            continue;
        }
        changes.push(Change {
            stock_id: row.stock_id,
            kind: MovementKind::Release,
            on_hand: 0,
            reserved: -i64::from(row.quantity),
        });
        row.quantity = 0;
        reservation::update(tx.conn(), &row).await?;
    }
    order_item::forget_backorders(tx.conn(), order_id).await?;
    let cause = Cause { reference: Some(format!("order/{order_id}")), reason: None };
    apply(tx, &mut locked, &changes, &cause).await?;
    for sku in skus {
        serve_waiting(tx, &mut locked, &sku).await?;
    }
    Ok(())
}
