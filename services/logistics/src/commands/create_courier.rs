use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use bhiv_types::Amount;

use crate::domain::courier::NewCourier;
use crate::store::courier::{self, Courier};

/// A courier becomes known.
#[derive(Debug)]
pub struct CreateCourier(pub NewCourier);

impl Command for CreateCourier {
    type Output = Courier;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Courier, Fault<Infallible>> {
        let new = self.0.clone();
        let courier = Courier {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            name: new.name,
            phone: new.phone,
            capacity: new.capacity,
            shift: new.shift,
            cost_per_km: new.cost_per_km.map(Amount::get).unwrap_or_default(),
            cost_per_hour: new.cost_per_hour.map(Amount::get).unwrap_or_default(),
            active: true,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        courier::insert(tx.conn(), &courier).await?;
        tx.change("courier.create", format!("courier/{}", courier.id), 1, None, Some(&courier));
        Ok(courier)
    }
}
