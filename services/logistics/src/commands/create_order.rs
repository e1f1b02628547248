use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Amount;

use super::stock_flow::{lock_products, promise};
use crate::domain::movement::Wanted;
use crate::domain::order::{NewOrder, OrderStatus, OrderedItem};
use crate::events;
use crate::store::order::{self, Order, OrderHead};
use crate::store::order_item::{self, OrderItem};

/// Places an order.
#[derive(Debug)]
pub struct CreateOrder {
    /// What is ordered.
    pub new: NewOrder,
    /// Whether some of it is kept in stock.
    pub is_kept: bool,
}

/// A line for which there is not enough.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Short {
    /// Its number.
    pub line: i32,
    /// What it is.
    pub sku: String,
    /// How many are wanted.
    pub wanted: i32,
    /// How many there are.
    pub available: i32,
}

/// Why an order is not placed.
#[derive(Debug, thiserror::Error)]
pub enum CreateOrderError {
    #[error("the sum of quantity times price is below 10^15")]
    TooMuch,
    #[error("the sum of quantity times price is {}", .expected.get())]
    TotalMismatch {
        /// The sum.
        expected: Amount,
    },
    #[error("there is not enough of {}", .0.iter().map(|short| short.sku.as_str()).collect::<Vec<_>>().join(", "))]
    Insufficient(Vec<Short>),
}

impl Refusal for CreateOrderError {}

impl Command for CreateOrder {
    type Output = Order;
    type Refusal = CreateOrderError;

    fn is_alone(&self) -> bool {
        self.is_kept
    }

    async fn run(&self, tx: &mut Tx) -> Result<Order, Fault<CreateOrderError>> {
        let sum = self.new.sum().ok_or(CreateOrderError::TooMuch)?;
        let new = self.new.clone();
        if new.total.is_some_and(|total| total != sum) {
            return Err(CreateOrderError::TotalMismatch { expected: sum }.into());
        }
        if let Some(opportunity_id) = new.opportunity_id {
            tx.continue_story_of(&format!("opportunity/{opportunity_id}")).await?;
        }
        let head = OrderHead {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            opportunity_id: new.opportunity_id,
            customer_id: new.customer_id,
            total: sum.get(),
            currency: new.currency,
            priority: new.priority,
            status: OrderStatus::Pending,
            status_reason: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        let mut order = Order { head, items: (1..).zip(new.items).map(item).collect() };
        order::insert(tx.conn(), &order).await?;
        if self.is_kept {
            self.promise(tx, &mut order).await?;
        }
        events::order_created(tx, &order);
        tx.change("order.create", format!("order/{}", order.head.id), 1, None, Some(&order));
        Ok(order)
    }
}

impl CreateOrder {
    /// Promises what is there; what is not is refused or comes later.
    async fn promise(&self, tx: &mut Tx, order: &mut Order) -> Result<(), Fault<CreateOrderError>> {
        let wanted =
            |item: &OrderItem| Wanted { line: item.line, sku: item.sku.clone(), quantity: item.quantity };
        let wanted: Vec<_> = order.items.iter().map(wanted).collect();
        let skus: Vec<_> = order.items.iter().map(|item| item.sku.clone()).collect();
        let mut locked = lock_products(tx, &skus).await?;
        let missing = promise(tx, &mut locked, order.head.id, &wanted).await?;
        if !self.new.backorder && !missing.is_empty() {
            let short = order.items.iter().filter_map(|item| {
                let missing = missing.get(&item.line)?;
                let available = item.quantity - missing;
                Some(Short { line: item.line, sku: item.sku.clone(), wanted: item.quantity, available })
            });
            return Err(CreateOrderError::Insufficient(short.collect()).into());
        }
        for item in &mut order.items {
            if let Some(missing) = missing.get(&item.line) {
                item.backordered = *missing;
                order_item::set_backordered(tx.conn(), order.head.id, item.line, *missing).await?;
            }
        }
        Ok(())
    }
}

fn item((line, ordered): (i32, OrderedItem)) -> OrderItem {
    let OrderedItem { sku, quantity, price } = ordered;
    OrderItem { line, sku, quantity, price: price.get(), backordered: 0, shipped: 0, returned: 0 }
}
