use bhiv_db::Error;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::ids::SupplierId;
use crate::domain::product::NewProduct;
use crate::store::product::{self, Product};
use crate::store::supplier;

/// A product becomes known.
#[derive(Debug)]
pub struct CreateProduct(pub NewProduct);

/// Why it is not.
#[derive(Debug, thiserror::Error)]
pub enum CreateProductError {
    #[error("another product is called so")]
    SkuTaken,
    #[error("there is no supplier {0}")]
    NoSupplier(SupplierId),
}

impl Refusal for CreateProductError {}

impl Command for CreateProduct {
    type Output = Product;
    type Refusal = CreateProductError;

    async fn run(&self, tx: &mut Tx) -> Result<Product, Fault<CreateProductError>> {
        let new = self.0.clone();
        if let Some(id) = new.supplier_id {
            supplier::find(tx.conn(), id).await?.ok_or(CreateProductError::NoSupplier(id))?;
        }
        let product = Product {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            sku: new.sku,
            name: new.name,
            unit: new.unit,
            price: new.price.map(bhiv_types::Amount::get),
            currency: new.currency,
            active: true,
            supplier_id: new.supplier_id,
            reorder_quantity: new.reorder_quantity,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        product::insert(tx.conn(), &product).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("products_sku") {
                Fault::Refused(CreateProductError::SkuTaken)
            } else {
                Fault::Database(error)
            }
        })?;
        tx.change("product.create", format!("product/{}", product.id), 1, None, Some(&product));
        Ok(product)
    }
}
