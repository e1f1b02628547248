use bhiv_types::{Amount, Currency, Priority, State};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where an order stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderStatus {
    /// Nobody has decided about it yet.
    Pending,
    /// It may be fulfilled.
    Approved,
    /// Something has to be settled first.
    OnHold,
    /// Its items are being collected.
    Picking,
    /// It has left.
    Dispatched,
    /// The customer has it.
    Delivered,
    /// It is not wanted any more.
    Cancelled,
    /// It came back.
    Returned,
}

impl State for OrderStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Pending, &[Self::Approved, Self::OnHold, Self::Cancelled]),
        (Self::Approved, &[Self::Picking, Self::Dispatched, Self::OnHold, Self::Cancelled]),
        (Self::OnHold, &[Self::Approved, Self::Cancelled]),
        (Self::Picking, &[Self::Dispatched, Self::OnHold, Self::Cancelled]),
        (Self::Dispatched, &[Self::Delivered, Self::Returned]),
        (Self::Delivered, &[Self::Returned]),
        (Self::Cancelled, &[]),
        (Self::Returned, &[]),
    ];
}

impl OrderStatus {
    /// Whether stock moves when an order comes here.
    pub fn moves_stock(self) -> bool {
        matches!(self, Self::Cancelled | Self::Dispatched | Self::Returned)
    }

    /// Whether parts of the order can leave.
    pub fn is_shippable(self) -> bool {
        matches!(self, Self::Approved | Self::Picking | Self::Dispatched | Self::Delivered)
    }

    /// Whether a delivery of the order can be scheduled. A part of it may be under way already.
    pub fn is_deliverable(self) -> bool {
        match self {
            Self::Pending | Self::Approved | Self::Picking | Self::Dispatched => true,
            Self::OnHold | Self::Delivered | Self::Cancelled | Self::Returned => false,
        }
    }
}

/// What is known when an order is placed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// The opportunity that it fulfils.
    pub opportunity_id: Option<Uuid>,
    /// Who orders.
    #[schema(min_length = 1, max_length = 100)]
    pub customer_id: String,
    /// What is ordered.
    #[schema(value_type = Vec<NewOrderItem>, min_items = 1, max_items = 200)]
    pub items: Vec<OrderedItem>,
    /// What all of it costs: the sum of quantity times price. When it is given, it is checked.
    pub total: Option<Amount>,
    /// `INR`, unless it says otherwise.
    #[serde(default)]
    pub currency: Currency,
    /// `normal`, unless it says otherwise.
    #[serde(default)]
    pub priority: Priority,
    /// Whether what is not there may come later; otherwise an order for more than there is, is refused. Products that
    /// are kept nowhere, such as services, are not counted.
    #[serde(default)]
    pub backorder: bool,
}

impl NewOrder {
    /// The sum of quantity times price; none when it is no amount any more.
    pub fn sum(&self) -> Option<Amount> {
        let sum = self.items.iter().try_fold(Decimal::ZERO, |sum, item| {
            sum.checked_add(item.price.get().checked_mul(item.quantity.into())?)
        });
        sum.and_then(|sum| Amount::try_from(sum).ok())
    }
}

/// A line of an order that is placed: what it is, by `product` or by `sku`, how many, and at what price.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrderItem {
    /// The product's name; without it, `sku` is required.
    #[schema(min_length = 1, max_length = 100)]
    product: Option<String>,
    /// Stock keeping unit; without it, `product` is required.
    #[schema(min_length = 1, max_length = 100)]
    sku: Option<String>,
    /// How many.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    quantity: i32,
    /// Price of one, in the order's currency.
    price: Amount,
}

/// A line of an order that is placed, read.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "NewOrderItem")]
pub struct OrderedItem {
    /// Stock keeping unit, or the product's name.
    pub sku: String,
    /// How many.
    pub quantity: i32,
    /// Price of one, in the order's currency.
    pub price: Amount,
}

impl TryFrom<NewOrderItem> for OrderedItem {
    type Error = &'static str;

    fn try_from(item: NewOrderItem) -> Result<Self, Self::Error> {
        let NewOrderItem { product, sku, quantity, price } = item;
        match (product, sku) {
            (Some(sku), None) | (None, Some(sku)) => Ok(Self { sku, quantity, price }),
            (Some(_), Some(_)) => Err("must not have both product and sku"),
            (None, None) => Err("must have a product or a sku"),
        }
    }
}

/// Where an order is moved.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderMove {
    /// The next status.
    pub status: OrderStatus,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// So many of a line of an order.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinePart {
    /// The number of the line, from 1.
    #[schema(minimum = 1, maximum = 200)]
    pub line: i32,
    /// How many.
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub quantity: i32,
}

/// What leaves.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShipment {
    /// Of which lines; everything that can leave, unless it says otherwise.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Option<Vec<LinePart>>,
    /// Why, or how.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// What comes back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReturn {
    /// Of which lines; everything that has left, unless it says otherwise.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Option<Vec<LinePart>>,
    /// Whether it goes back to where it came from, to be sold again.
    #[serde(default)]
    pub restock: bool,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(items: serde_json::Value) -> NewOrder {
        serde_json::from_value(json!({"customer_id": "c-1", "items": items})).unwrap()
    }

    #[test]
    fn what_has_left_is_not_cancelled() {
        assert!(OrderStatus::Picking.become_(OrderStatus::Cancelled).is_ok());
        assert!(OrderStatus::Dispatched.become_(OrderStatus::Cancelled).is_err());
        assert!(OrderStatus::Pending.become_(OrderStatus::Dispatched).is_err());
        assert!(OrderStatus::Cancelled.is_final() && OrderStatus::Returned.is_final());
    }

    #[test]
    fn a_sum_is_exact() {
        let three = json!({"sku": "A", "quantity": 3, "price": 0.1});
        let many = json!({"product": "B", "quantity": 2_147_483_647, "price": "0.0001"});
        let sum = order(json!([three, many])).sum().unwrap();
        assert_eq!(sum.get().to_string(), "214748.6647");
    }

    #[test]
    fn a_sum_that_is_no_amount_is_none() {
        let dear = json!({"sku": "A", "quantity": 2_147_483_647, "price": "999999999999999.9999"});
        assert_eq!(order(json!(vec![dear; 200])).sum(), None);
    }
}
