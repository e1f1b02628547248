use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::courier::CourierChange;
use crate::domain::ids::CourierId;
use crate::store::courier::{self, Courier};

/// Changes what is known of a courier.
#[derive(Debug)]
pub struct PatchCourier {
    /// Which.
    pub id: CourierId,
    /// What changes.
    pub change: CourierChange,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchCourierError {
    #[error("there is no courier {0}")]
    NotFound(CourierId),
}

impl Refusal for PatchCourierError {}

impl Command for PatchCourier {
    type Output = Courier;
    type Refusal = PatchCourierError;

    async fn run(&self, tx: &mut Tx) -> Result<Courier, Fault<PatchCourierError>> {
        let before = courier::lock(tx.conn(), self.id).await?.ok_or(PatchCourierError::NotFound(self.id))?;
        let change = self.change.clone();
        let mut after = before.clone();
        if let Some(name) = change.name {
            after.name = name;
        }
        if let Some(capacity) = change.capacity {
            after.capacity = capacity;
        }
        if let Some(shift) = change.shift {
            after.shift = shift;
        }
        if let Some(cost) = change.cost_per_km {
            after.cost_per_km = cost.get();
        }
        if let Some(cost) = change.cost_per_hour {
            after.cost_per_hour = cost.get();
        }
        if let Some(active) = change.active {
            after.active = active;
        }
        change.phone.apply(&mut after.phone);
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        courier::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("courier/{}", after.id);
        tx.change("courier.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
