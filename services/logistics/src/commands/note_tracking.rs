use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::State as _;
use chrono::{DateTime, Utc};

use crate::domain::delivery::DeliveryStatus;
use crate::domain::ids::DeliveryId;
use crate::domain::tracking::NewScan;
use crate::store::delivery::{self, Delivery};
use crate::store::tracking_event::{self, TrackingEvent};

/// Notes that a delivery came to where it is now.
pub async fn note_status(tx: &mut Tx, delivery: &Delivery) -> Result<(), DieselError> {
    let event = TrackingEvent {
        id: tx.id(),
        delivery_id: delivery.id,
        kind: delivery.status.into(),
        at: tx.now(),
        place: None,
        location: None,
        note: None,
        actor: tx.actor().to_owned(),
    };
    tracking_event::insert(tx.conn(), &event).await
}

/// Notes what was seen of a delivery on its way.
#[derive(Debug)]
pub struct NoteScan {
    /// Which delivery.
    pub id: DeliveryId,
    /// What was seen.
    pub new: NewScan,
}

/// Why it is not noted.
#[derive(Debug, thiserror::Error)]
pub enum NoteScanError {
    #[error("there is no delivery {0}")]
    NotFound(DeliveryId),
    #[error("the delivery is {0}")]
    Ended(DeliveryStatus),
    #[error("it is {0}")]
    InTheFuture(DateTime<Utc>),
}

impl Refusal for NoteScanError {}

impl Command for NoteScan {
    type Output = TrackingEvent;
    type Refusal = NoteScanError;

    async fn run(&self, tx: &mut Tx) -> Result<TrackingEvent, Fault<NoteScanError>> {
        // Locked, so that it does not end at the same time.
        let delivery = delivery::lock(tx.conn(), self.id).await?.ok_or(NoteScanError::NotFound(self.id))?;
        if delivery.status.is_final() {
            return Err(NoteScanError::Ended(delivery.status).into());
        }
        let now = tx.now();
        let NewScan { kind, at, place, location, note } = self.new.clone();
        let at = at.unwrap_or(now);
        if at > now {
            return Err(NoteScanError::InTheFuture(now).into());
        }
        let event = TrackingEvent {
            id: tx.id(),
            delivery_id: delivery.id,
            kind: kind.into(),
            at,
            place,
            location,
            note,
            actor: tx.actor().to_owned(),
        };
        tracking_event::insert(tx.conn(), &event).await?;
        tx.continue_story(delivery.correlation_id);
        tx.audit("delivery.scan", format!("delivery/{}", delivery.id), None, Some(&event));
        Ok(event)
    }
}
