use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{Patch, State as _};
use chrono::NaiveDate;

use crate::domain::delivery::{DeliveryChange, DeliveryStatus, promised_until};
use crate::domain::ids::{CourierId, DeliveryId};
use crate::store::courier;
use crate::store::delivery::{self, Delivery};

/// Changes a delivery that is not over.
#[derive(Debug)]
pub struct PatchDelivery {
    /// Which.
    pub id: DeliveryId,
    /// What changes.
    pub change: DeliveryChange,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchDeliveryError {
    #[error("there is no delivery {0}")]
    NotFound(DeliveryId),
    #[error("the delivery is {0}")]
    Ended(DeliveryStatus),
    #[error("today is {today}")]
    DateInThePast {
        /// The first day that can be promised.
        today: NaiveDate,
    },
    #[error("there is no courier {0}")]
    NoCourier(CourierId),
}

impl Refusal for PatchDeliveryError {}

impl Command for PatchDelivery {
    type Output = Delivery;
    type Refusal = PatchDeliveryError;

    async fn run(&self, tx: &mut Tx) -> Result<Delivery, Fault<PatchDeliveryError>> {
        let before =
            delivery::lock(tx.conn(), self.id).await?.ok_or(PatchDeliveryError::NotFound(self.id))?;
        if before.status.is_final() {
            return Err(PatchDeliveryError::Ended(before.status).into());
        }
        let today = tx.now().date_naive();
        if self.change.delivery_date.is_some_and(|day| day < today) {
            return Err(PatchDeliveryError::DateInThePast { today }.into());
        }
        if let Patch::Set(id) = self.change.courier_id {
            courier::find(tx.conn(), id).await?.ok_or(PatchDeliveryError::NoCourier(id))?;
        }
        let mut after = changed(&before, self.change.clone());
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        delivery::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("delivery/{}", after.id);
        tx.change("delivery.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

fn changed(before: &Delivery, change: DeliveryChange) -> Delivery {
    let mut after = before.clone();
    if let Some(day) = change.delivery_date {
        after.delivery_date = day;
    }
    if let Some(address) = change.address {
        after.address = address;
    }
    if let Some(priority) = change.priority {
        after.priority = priority;
    }
    if let Some(load) = change.load {
        after.load = load;
    }
    change.window.apply(&mut after.window);
    change.timezone.apply(&mut after.timezone);
    after.promised_until = Some(promised_until(after.delivery_date, after.window, after.timezone));
    change.location.apply(&mut after.location);
    change.special_instructions.apply(&mut after.special_instructions);
    change.courier_id.apply(&mut after.courier_id);
    let place = |delivery: &Delivery| (delivery.delivery_date, delivery.location, delivery.courier_id);
    if place(&after) != place(before) {
        // It was that of the way that was planned.
        after.eta = None;
    }
    after
}
