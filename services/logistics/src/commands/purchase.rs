use bhiv_db::{DieselError, Error};
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::TimeDelta;

use crate::domain::ids::SupplierId;
use crate::domain::purchase_order::{NewPurchaseOrder, PurchaseStatus};
use crate::store::product;
use crate::store::purchase_order::{self, PurchaseOrder};
use crate::store::stock::Stock;
use crate::store::supplier::{self, Supplier};

/// Somebody orders from a supplier.
#[derive(Debug)]
pub struct Purchase(pub NewPurchaseOrder);

/// Why it is not ordered.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseError {
    #[error("there is no supplier {0}")]
    NoSupplier(SupplierId),
    #[error("the product is on order for this location already")]
    OnOrder,
}

impl Refusal for PurchaseError {}

impl Command for Purchase {
    type Output = PurchaseOrder;
    type Refusal = PurchaseError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<PurchaseOrder, Fault<PurchaseError>> {
        let new = self.0.clone();
        let supplier = supplier::find(tx.conn(), new.supplier_id).await?;
        let supplier = supplier.ok_or(PurchaseError::NoSupplier(new.supplier_id))?;
        let order = draft(tx, &supplier, new);
        purchase_order::insert(tx.conn(), &order).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("purchase_orders_open") {
                Fault::Refused(PurchaseError::OnOrder)
            } else {
                Fault::Database(error)
            }
        })?;
        tx.change("purchase_order.create", entity(&order), 1, None, Some(&order));
        Ok(order)
    }
}

fn entity(order: &PurchaseOrder) -> String {
    format!("purchase_order/{}", order.id)
}

fn draft(tx: &mut Tx, supplier: &Supplier, new: NewPurchaseOrder) -> PurchaseOrder {
    let usual = tx.now().date_naive() + TimeDelta::days(supplier.lead_time_days.into());
    PurchaseOrder {
        id: tx.id().into(),
        version: 1,
        correlation_id: tx.correlation(),
        supplier_id: supplier.id,
        sku: new.sku,
        location: new.location,
        quantity: new.quantity,
        received: 0,
        status: PurchaseStatus::Draft,
        expected_on: new.expected_on.or(Some(usual)),
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// What has run low is ordered again, if it is known from whom and how many, and is not on order: a part of what
/// takes stock.
pub async fn reorder(tx: &mut Tx, stock: &Stock) -> Result<(), DieselError> {
    let Some(product) = product::called(tx.conn(), &stock.product_id).await? else { return Ok(()) };
    let (Some(supplier_id), Some(quantity)) = (product.supplier_id, product.reorder_quantity) else {
        return Ok(());
    };
    let supplier = supplier::find(tx.conn(), supplier_id).await?.filter(|supplier| supplier.active);
    let Some(supplier) = supplier.filter(|_| product.active) else { return Ok(()) };
    let new = NewPurchaseOrder {
        supplier_id,
        sku: product.sku,
        location: stock.location.clone(),
        quantity,
        expected_on: None,
    };
    let order = draft(tx, &supplier, new);
    if purchase_order::insert_once(tx.conn(), &order).await? {
        tx.change("purchase_order.create", entity(&order), 1, None, Some(&order));
    }
    Ok(())
}
