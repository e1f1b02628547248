use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::ids::SupplierId;
use crate::domain::supplier::SupplierChange;
use crate::store::supplier::{self, Supplier};

/// Changes what is known of a supplier.
#[derive(Debug)]
pub struct PatchSupplier {
    /// Which.
    pub id: SupplierId,
    /// What changes.
    pub change: SupplierChange,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchSupplierError {
    #[error("there is no supplier {0}")]
    NotFound(SupplierId),
}

impl Refusal for PatchSupplierError {}

impl Command for PatchSupplier {
    type Output = Supplier;
    type Refusal = PatchSupplierError;

    async fn run(&self, tx: &mut Tx) -> Result<Supplier, Fault<PatchSupplierError>> {
        let before =
            supplier::lock(tx.conn(), self.id).await?.ok_or(PatchSupplierError::NotFound(self.id))?;
        let change = self.change.clone();
        let mut after = before.clone();
        if let Some(name) = change.name {
            after.name = name;
        }
        if let Some(lead_time_days) = change.lead_time_days {
            after.lead_time_days = lead_time_days;
        }
        if let Some(active) = change.active {
            after.active = active;
        }
        change.email.apply(&mut after.email);
        change.phone.apply(&mut after.phone);
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        supplier::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("supplier/{}", after.id);
        tx.change("supplier.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
