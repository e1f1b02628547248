//! Every route of logistics.

mod deliveries;
mod inventory;
mod orders;
mod tracking;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Logistics;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Logistics::INFO)
        .post("/logistics/orders", "Place an order", orders::create)
        .post("/logistics/procurement", "Place an order, under its other name", orders::create)
        .get("/logistics/orders", "List orders, the newest first", orders::list)
        .get("/logistics/orders/{id}", "Read an order", orders::read)
        .put("/logistics/orders/{id}/status", "Move an order on", orders::move_)
        .post("/logistics/delivery", "Schedule a delivery of an order", deliveries::create)
        .get("/logistics/delivery", "List deliveries, the newest first", deliveries::list)
        .get("/logistics/delivery/{id}", "Read a delivery", deliveries::read)
        .put(
            "/logistics/delivery/{id}/status",
            "Move a delivery on, and its order with it",
            deliveries::move_,
        )
        .get("/logistics/track/{tracking_number}", "Follow a delivery, without a token", tracking::read)
        .post("/logistics/inventory", "Begin to keep a product at a location", inventory::create)
        .get("/logistics/inventory", "List stock, the newest first", inventory::list)
        .get("/logistics/inventory/{id}", "Read the stock of a product at a location", inventory::read)
        .patch("/logistics/inventory/{id}", "Note what came or went", inventory::patch)
}
