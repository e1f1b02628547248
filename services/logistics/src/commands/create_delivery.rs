use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::NaiveDate;

use super::note_tracking::note_status;
use crate::domain::delivery::{DeliveryStatus, NewDelivery, promised_until};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderStatus;
use crate::domain::tracking_number::TrackingNumber;
use crate::events;
use crate::store::delivery::{self, Delivery};
use crate::store::order;

/// Schedules a delivery of an order.
#[derive(Debug)]
pub struct CreateDelivery(pub NewDelivery);

/// Why a delivery is not scheduled.
#[derive(Debug, thiserror::Error)]
pub enum CreateDeliveryError {
    #[error("today is {today}")]
    DateInThePast {
        /// The first day that can be promised.
        today: NaiveDate,
    },
    #[error("there is no order {0}")]
    NoOrder(OrderId),
    #[error("the order is {0}")]
    NotDeliverable(OrderStatus),
}

impl Refusal for CreateDeliveryError {}

impl Command for CreateDelivery {
    type Output = Delivery;
    type Refusal = CreateDeliveryError;

    async fn run(&self, tx: &mut Tx) -> Result<Delivery, Fault<CreateDeliveryError>> {
        let new = self.0.clone();
        let today = tx.now().date_naive();
        if new.delivery_date < today {
            return Err(CreateDeliveryError::DateInThePast { today }.into());
        }
        // Locked, so that it is not cancelled at the same time.
        let order = order::lock(tx.conn(), new.order_id).await?;
        let order = order.ok_or(CreateDeliveryError::NoOrder(new.order_id))?;
        if !order.status.is_deliverable() {
            return Err(CreateDeliveryError::NotDeliverable(order.status).into());
        }
        tx.continue_story(order.correlation_id);
        let delivery = Delivery {
            id: tx.id().into(),
            version: 1,
            correlation_id: order.correlation_id,
            order_id: order.id,
            tracking_number: TrackingNumber::draw(|| tx.chance()),
            delivery_date: new.delivery_date,
            window: new.window,
            address: new.address,
            location: new.location,
            special_instructions: new.special_instructions,
            priority: new.priority.unwrap_or(order.priority),
            status: DeliveryStatus::Scheduled,
            status_reason: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            load: new.load.unwrap_or(1),
            courier_id: None,
            eta: None,
            timezone: new.timezone,
            promised_until: Some(promised_until(new.delivery_date, new.window, new.timezone)),
        };
        delivery::insert(tx.conn(), &delivery).await?;
        note_status(tx, &delivery).await?;
        events::delivery_came(tx, &delivery, order.opportunity_id);
        tx.change("delivery.create", format!("delivery/{}", delivery.id), 1, None, Some(&delivery));
        Ok(delivery)
    }
}
