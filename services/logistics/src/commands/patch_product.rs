use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Patch;

use crate::domain::ids::{ProductId, SupplierId};
use crate::domain::product::ProductChange;
use crate::store::product::{self, Product};
use crate::store::supplier;

/// Changes what is known of a product.
#[derive(Debug)]
pub struct PatchProduct {
    /// Which.
    pub id: ProductId,
    /// What changes.
    pub change: ProductChange,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchProductError {
    #[error("there is no product {0}")]
    NotFound(ProductId),
    #[error("there is no supplier {0}")]
    NoSupplier(SupplierId),
}

impl Refusal for PatchProductError {}

impl Command for PatchProduct {
    type Output = Product;
    type Refusal = PatchProductError;

    async fn run(&self, tx: &mut Tx) -> Result<Product, Fault<PatchProductError>> {
        let before = product::lock(tx.conn(), self.id).await?.ok_or(PatchProductError::NotFound(self.id))?;
        let change = self.change.clone();
        if let Patch::Set(id) = change.supplier_id {
            supplier::find(tx.conn(), id).await?.ok_or(PatchProductError::NoSupplier(id))?;
        }
        let mut after = before.clone();
        if let Some(name) = change.name {
            after.name = name;
        }
        if let Some(active) = change.active {
            after.active = active;
        }
        change.unit.apply(&mut after.unit);
        change.supplier_id.apply(&mut after.supplier_id);
        change.reorder_quantity.apply(&mut after.reorder_quantity);
        match change.price {
            Patch::Keep => {}
            Patch::Clear => after.price = None,
            Patch::Set(price) => after.price = Some(price.get()),
        }
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        product::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("product/{}", after.id);
        tx.change("product.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
