//! What logistics tells others: the only place where its events are built.

use bhiv_events::logistics::{
    DeliveryCompleted, DeliveryDelayed, DeliveryDispatched, DeliveryFailed, DeliveryScheduled, InventoryLow,
    OrderCreated, OrderItem, OrderStatusChanged,
};
use bhiv_outbox::Tx;
use uuid::Uuid;

use crate::domain::delivery::DeliveryStatus;
use crate::domain::order::OrderStatus;
use crate::store::delivery::Delivery;
use crate::store::order::{Order, OrderHead};
use crate::store::stock::Stock;

/// An order was placed.
pub fn order_created(tx: &mut Tx, order: &Order) {
    let Order { head, items } = order;
    let items = items.iter().map(|item| OrderItem {
        sku: item.sku.clone(),
        quantity: item.quantity,
        price: item.price,
    });
    let event = OrderCreated {
        order_id: head.id.0,
        opportunity_id: head.opportunity_id,
        customer_id: head.customer_id.clone(),
        items: items.collect(),
        total: head.total,
        currency: head.currency.to_string(),
        priority: head.priority.to_string(),
    };
    tx.record(head.version, &event);
}

/// An order moved from `before` to where it is now.
pub fn order_moved(tx: &mut Tx, order: &OrderHead, before: OrderStatus) {
    let event = OrderStatusChanged {
        order_id: order.id.0,
        from: before.to_string(),
        to: order.status.to_string(),
        reason: order.status_reason.clone(),
    };
    tx.record(order.version, &event);
}

/// A delivery came to where it is now. `opportunity_id` is that of its order.
pub fn delivery_came(tx: &mut Tx, delivery: &Delivery, opportunity_id: Option<Uuid>) {
    let (delivery_id, order_id) = (delivery.id.0, delivery.order_id.0);
    let tracking_number = delivery.tracking_number.to_string();
    let reason = delivery.status_reason.clone();
    let version = delivery.version;
    match delivery.status {
        DeliveryStatus::Scheduled => {
            let (delivery_date, priority) = (delivery.delivery_date, delivery.priority.to_string());
            let event = DeliveryScheduled { delivery_id, order_id, tracking_number, delivery_date, priority };
            tx.record(version, &event)
        }
        DeliveryStatus::InTransit => {
            let event = DeliveryDispatched { delivery_id, order_id, opportunity_id, tracking_number, reason };
            tx.record(version, &event)
        }
        DeliveryStatus::Delayed => {
            let event = DeliveryDelayed { delivery_id, order_id, opportunity_id, tracking_number, reason };
            tx.record(version, &event)
        }
        DeliveryStatus::Delivered => {
            let event = DeliveryCompleted { delivery_id, order_id, opportunity_id, tracking_number, reason };
            tx.record(version, &event)
        }
        DeliveryStatus::Failed => {
            let event = DeliveryFailed { delivery_id, order_id, opportunity_id, tracking_number, reason };
            tx.record(version, &event)
        }
    };
}

/// What can still be promised of a product fell to its reorder level or below.
pub fn inventory_low(tx: &mut Tx, stock: &Stock) {
    let event = InventoryLow {
        stock_id: stock.id.0,
        product_id: stock.product_id.clone(),
        location: stock.location.clone(),
        available: stock.available,
        reorder_level: stock.reorder_level,
    };
    tx.record(stock.version, &event);
}
