use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::note_tracking::note_status;
use crate::domain::delivery::DeliveryStatus;
use crate::domain::window::Window;
use crate::events;
use crate::store::delivery::{self, Delivery};
use crate::store::order;

/// How many deliveries one transaction finds.
pub const AT_A_TIME: usize = 100;

/// Deliveries that have not arrived when they were promised are late from then on. Answers how many it found.
#[derive(Debug)]
pub struct FindDelays;

impl Command for FindDelays {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let found = delivery::lock_promised_before(tx.conn(), now, AT_A_TIME).await?;
        let late = found.len();
        for before in found {
            let after = Delivery {
                status: DeliveryStatus::Delayed,
                status_reason: Some(promise(&before)),
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            delivery::update(tx.conn(), &after).await?;
            let order = order::find_head(tx.conn(), after.order_id).await?;
            tx.follow(after.correlation_id);
            note_status(tx, &after).await?;
            events::delivery_came(tx, &after, order.and_then(|order| order.opportunity_id));
            let entity = format!("delivery/{}", after.id);
            tx.change("delivery.delay", entity, after.version, Some(&before), Some(&after));
        }
        Ok(late)
    }
}

fn promise(delivery: &Delivery) -> String {
    let day = delivery.delivery_date;
    match delivery.window {
        Some(Window { from, to }) => {
            format!("promised for {day}, {} to {}", from.format("%H:%M"), to.format("%H:%M"))
        }
        None => format!("promised for {day}"),
    }
}
