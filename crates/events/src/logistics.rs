//! What logistics tells: orders, deliveries, stock.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{contract, sample};

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderItem {
    /// Stock keeping unit, or the product's name.
    pub sku: String,
    /// How many.
    pub quantity: i32,
    /// Price of one, in the order's currency.
    pub price: Decimal,
}

/// An order was placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCreated {
    /// Id of the order.
    pub order_id: Uuid,
    /// The opportunity that it fulfils, if it came from one.
    pub opportunity_id: Option<Uuid>,
    /// Who ordered.
    pub customer_id: String,
    /// What was ordered.
    pub items: Vec<OrderItem>,
    /// Sum over the items, in `currency`.
    pub total: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
}

contract!(OrderCreated = Logistics "logistics" "order" "created" "v1", "order" / order_id);

impl OrderCreated {
    fn canned() -> Self {
        Self {
            order_id: sample::ORDER,
            opportunity_id: Some(sample::OPPORTUNITY),
            customer_id: "verma-textiles".to_owned(),
            items: vec![OrderItem {
                sku: "RACK-20".to_owned(),
                quantity: 2,
                price: Decimal::new(1_250_000, 2),
            }],
            total: sample::price(),
            currency: "INR".to_owned(),
            priority: "normal".to_owned(),
        }
    }
}

/// An order moved to another status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderStatusChanged {
    /// Id of the order.
    pub order_id: Uuid,
    /// The status before.
    pub from: String,
    /// The status after.
    pub to: String,
    /// Why, when it is known.
    pub reason: Option<String>,
}

contract!(OrderStatusChanged = Logistics "logistics" "order" "status_changed" "v1", "order" / order_id);

impl OrderStatusChanged {
    fn canned() -> Self {
        Self {
            order_id: sample::ORDER,
            from: "pending".to_owned(),
            to: "approved".to_owned(),
            reason: Some(format!("decision/{}", sample::DECISION)),
        }
    }
}

/// The available stock of a product fell to its reorder level or below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryLow {
    /// The stock: one product at one place.
    pub stock_id: Uuid,
    /// The product.
    pub product_id: String,
    /// Where it is kept.
    pub location: String,
    /// What can still be promised.
    pub available: i64,
    /// The level at which it should be ordered again.
    pub reorder_level: i64,
}

contract!(InventoryLow = Logistics "logistics" "inventory" "low" "v1", "stock" / stock_id);

impl InventoryLow {
    fn canned() -> Self {
        Self {
            stock_id: sample::STOCK,
            product_id: "RACK-20".to_owned(),
            location: "main".to_owned(),
            available: 3,
            reorder_level: 5,
        }
    }
}

/// A delivery was scheduled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryScheduled {
    /// Id of the delivery.
    pub delivery_id: Uuid,
    /// The order that it delivers.
    pub order_id: Uuid,
    /// What the customer follows it by.
    pub tracking_number: String,
    /// The day promised.
    pub delivery_date: NaiveDate,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
}

contract!(DeliveryScheduled = Logistics "logistics" "delivery" "scheduled" "v1", "delivery" / delivery_id);

impl DeliveryScheduled {
    fn canned() -> Self {
        Self {
            delivery_id: sample::DELIVERY,
            order_id: sample::ORDER,
            tracking_number: "BHV7Q2M4X9K3".to_owned(),
            delivery_date: sample::day(),
            priority: "normal".to_owned(),
        }
    }
}

/// The four things that can happen to a scheduled delivery carry the same facts.
macro_rules! delivery_event {
    ($(#[$doc:meta])* $name:ident = $event:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            /// Id of the delivery.
            pub delivery_id: Uuid,
            /// The order that it delivers.
            pub order_id: Uuid,
            /// The opportunity behind the order, if there is one.
            pub opportunity_id: Option<Uuid>,
            /// What the customer follows it by.
            pub tracking_number: String,
            /// Why, when it is known.
            pub reason: Option<String>,
        }

        contract!($name = Logistics "logistics" "delivery" $event "v1", "delivery" / delivery_id);

        impl $name {
            fn canned() -> Self {
                Self {
                    delivery_id: sample::DELIVERY,
                    order_id: sample::ORDER,
                    opportunity_id: Some(sample::OPPORTUNITY),
                    tracking_number: "BHV7Q2M4X9K3".to_owned(),
                    reason: None,
                }
            }
        }
    };
}

delivery_event!(
    /// A delivery left the warehouse.
    DeliveryDispatched = "dispatched"
);
delivery_event!(
    /// A delivery will not arrive when it was promised.
    DeliveryDelayed = "delayed"
);
delivery_event!(
    /// A delivery arrived.
    DeliveryCompleted = "completed"
);
delivery_event!(
    /// A delivery could not be handed over.
    DeliveryFailed = "failed"
);
