use bhiv_events::Event;
use bhiv_events::logistics::OrderCreated;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::link_order::LinkOrder;

/// order_created -> the opportunity or the customer's account knows of the order.
pub struct LinkTheOrder;

impl Handle<OrderCreated> for LinkTheOrder {
    async fn handle(&self, tx: &mut Tx, event: &Event, order: OrderCreated) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        LinkOrder(order).run(tx).await?;
        Ok(())
    }
}
