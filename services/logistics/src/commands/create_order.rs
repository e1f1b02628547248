use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Amount;

use crate::domain::order::{NewOrder, OrderStatus, OrderedItem};
use crate::events;
use crate::store::order::{self, Order, OrderHead};
use crate::store::order_item::OrderItem;

/// Places an order.
#[derive(Debug)]
pub struct CreateOrder(pub NewOrder);

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
}

impl Refusal for CreateOrderError {}

impl Command for CreateOrder {
    type Output = Order;
    type Refusal = CreateOrderError;

    async fn run(&self, tx: &mut Tx) -> Result<Order, Fault<CreateOrderError>> {
        let sum = self.0.sum().ok_or(CreateOrderError::TooMuch)?;
        let new = self.0.clone();
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
        let order = Order { head, items: (1..).zip(new.items).map(item).collect() };
        order::insert(tx.conn(), &order).await?;
        events::order_created(tx, &order);
        tx.audit("order.create", format!("order/{}", order.head.id), None, Some(&order));
        Ok(order)
    }
}

fn item((line, ordered): (i32, OrderedItem)) -> OrderItem {
    let OrderedItem { sku, quantity, price } = ordered;
    OrderItem { line, sku, quantity, price: price.get() }
}
