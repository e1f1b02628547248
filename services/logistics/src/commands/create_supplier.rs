use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::domain::supplier::NewSupplier;
use crate::store::supplier::{self, Supplier};

/// A supplier becomes known.
#[derive(Debug)]
pub struct CreateSupplier(pub NewSupplier);

impl Command for CreateSupplier {
    type Output = Supplier;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Supplier, Fault<Infallible>> {
        let new = self.0.clone();
        let supplier = Supplier {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            name: new.name,
            email: new.email,
            phone: new.phone,
            lead_time_days: new.lead_time_days,
            active: true,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        supplier::insert(tx.conn(), &supplier).await?;
        tx.change("supplier.create", format!("supplier/{}", supplier.id), 1, None, Some(&supplier));
        Ok(supplier)
    }
}
