use bhiv_events::Event;
use bhiv_events::logistics::{DeliveryDelayed, DeliveryFailed, DeliveryScheduled, OrderStatusChanged};
use bhiv_events::task::FeedbackReceived;
use bhiv_outbox::{Failure, Handle, Tx};

use crate::commands::note_order::note_order;

/// What becomes of an order -> what it belongs to knows of it.
pub struct NoteTheNews;

impl Handle<OrderStatusChanged> for NoteTheNews {
    async fn handle(&self, tx: &mut Tx, _: &Event, order: OrderStatusChanged) -> Result<(), Failure> {
        let reason = order.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let summary = format!("order/{} is {} now, was {}{reason}", order.order_id, order.to, order.from);
        Ok(note_order(tx, order.order_id, "order", summary).await?)
    }
}

impl Handle<DeliveryScheduled> for NoteTheNews {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryScheduled) -> Result<(), Failure> {
        let summary = format!(
            "delivery/{} is scheduled for {}, tracking number {}",
            delivery.delivery_id, delivery.delivery_date, delivery.tracking_number
        );
        Ok(note_order(tx, delivery.order_id, "delivery", summary).await?)
    }
}

impl Handle<DeliveryDelayed> for NoteTheNews {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryDelayed) -> Result<(), Failure> {
        let reason = delivery.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let summary = format!("delivery/{} is late{reason}", delivery.delivery_id);
        Ok(note_order(tx, delivery.order_id, "delivery", summary).await?)
    }
}

impl Handle<DeliveryFailed> for NoteTheNews {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryFailed) -> Result<(), Failure> {
        let reason = delivery.reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let summary = format!("delivery/{} failed{reason}", delivery.delivery_id);
        Ok(note_order(tx, delivery.order_id, "delivery", summary).await?)
    }
}

impl Handle<FeedbackReceived> for NoteTheNews {
    async fn handle(&self, tx: &mut Tx, _: &Event, feedback: FeedbackReceived) -> Result<(), Failure> {
        let summary = format!("feedback/{}: {} of 5", feedback.feedback_id, feedback.rating);
        Ok(note_order(tx, feedback.order_id, "feedback", summary).await?)
    }
}
