//! Every route of logistics.

mod couriers;
mod deliveries;
mod inventory;
mod orders;
mod products;
mod proofs;
mod purchases;
mod routes;
mod suppliers;
mod tracking;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Logistics;
use crate::domain::delivery::DeliveryStatus;
use crate::domain::order::OrderStatus;
use crate::domain::plan::PlanStatus;
use crate::domain::purchase_order::PurchaseStatus;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Logistics::INFO)
        .post("/logistics/orders", "Place an order", orders::create)
        .post("/logistics/procurement", "Place an order, under its other name", orders::create)
        .get("/logistics/orders", "List orders", orders::list)
        .get("/logistics/orders/{id}", "Read an order", orders::read)
        .put("/logistics/orders/{id}/status", "Move an order on", orders::move_)
        .get(
            "/logistics/orders/{id}/history",
            "List the changes of an order, the newest first",
            orders::history,
        )
        .post("/logistics/orders/{id}/ship", "Let parts of an order leave", orders::ship)
        .post("/logistics/orders/{id}/return", "Take parts of an order back", orders::bring_back)
        .post("/logistics/orders/bulk", "Move many orders on, each by itself", orders::bulk)
        .post("/logistics/delivery", "Schedule a delivery of an order", deliveries::create)
        .get("/logistics/delivery", "List deliveries", deliveries::list)
        .get("/logistics/delivery/{id}", "Read a delivery", deliveries::read)
        .patch("/logistics/delivery/{id}", "Change a delivery that is not over", deliveries::patch)
        .put(
            "/logistics/delivery/{id}/status",
            "Move a delivery on, and its order with it",
            deliveries::move_,
        )
        .get(
            "/logistics/delivery/{id}/history",
            "List the changes of a delivery, the newest first",
            deliveries::history,
        )
        .post(
            "/logistics/delivery/{id}/events",
            "Note what was seen of a delivery on its way",
            tracking::scan,
        )
        .get("/logistics/delivery/{id}/events", "List what happened to a delivery", tracking::list)
        .post("/logistics/delivery/{id}/proofs", "Show by a picture that it arrived", proofs::create)
        .get("/logistics/delivery/{id}/proofs", "List what shows that it arrived", proofs::list)
        .get("/logistics/proofs/{id}", "Look at such a picture", proofs::read)
        .get("/logistics/track/{tracking_number}", "Follow a delivery, without a token", tracking::read)
        .post("/logistics/inventory", "Begin to keep a product at a location", inventory::create)
        .get("/logistics/inventory", "List stock", inventory::list)
        .get("/logistics/inventory/{id}", "Read the stock of a product at a location", inventory::read)
        .patch("/logistics/inventory/{id}", "Note what came or went", inventory::patch)
        .get(
            "/logistics/inventory/{id}/history",
            "List the changes of stock, the newest first",
            inventory::history,
        )
        .post("/logistics/inventory/{id}/transfer", "Bring some to another location", inventory::transfer)
        .get(
            "/logistics/movements",
            "List what came, went and was promised, the newest first",
            inventory::movements,
        )
        .post("/logistics/products", "Make a product known", products::create)
        .get("/logistics/products", "List products", products::list)
        .get("/logistics/products/{id}", "Read a product", products::read)
        .patch("/logistics/products/{id}", "Change a product", products::patch)
        .get("/logistics/products/{id}/history", "List the changes of a product", products::history)
        .post("/logistics/suppliers", "Make a supplier known", suppliers::create)
        .get("/logistics/suppliers", "List suppliers", suppliers::list)
        .get("/logistics/suppliers/{id}", "Read a supplier", suppliers::read)
        .patch("/logistics/suppliers/{id}", "Change a supplier", suppliers::patch)
        .get("/logistics/suppliers/{id}/history", "List the changes of a supplier", suppliers::history)
        .post("/logistics/purchase-orders", "Order from a supplier", purchases::create)
        .get("/logistics/purchase-orders", "List orders to suppliers", purchases::list)
        .get("/logistics/purchase-orders/{id}", "Read an order to a supplier", purchases::read)
        .put("/logistics/purchase-orders/{id}/status", "Send or cancel it", purchases::move_)
        .post("/logistics/purchase-orders/{id}/receive", "Take in what has come", purchases::receive)
        .get("/logistics/purchase-orders/{id}/history", "List its changes", purchases::history)
        .post("/logistics/couriers", "Make a courier known", couriers::create)
        .get("/logistics/couriers", "List couriers", couriers::list)
        .get("/logistics/couriers/{id}", "Read a courier", couriers::read)
        .patch("/logistics/couriers/{id}", "Change a courier", couriers::patch)
        .get("/logistics/couriers/{id}/history", "List the changes of a courier", couriers::history)
        .post("/logistics/routes/plan", "Plan who brings what, in which order", routes::plan)
        .get("/logistics/routes", "List plans of routes", routes::list)
        .get("/logistics/routes/{id}", "Read a plan, or how far it is", routes::read)
        .post("/logistics/routes/{id}/apply", "Give the deliveries of a plan to its couriers", routes::apply)
        .post("/logistics/routes/{id}/cancel", "Stop a plan that is not done", routes::cancel)
        .get("/logistics/routes/{id}/history", "List the changes of a plan", routes::history)
        .states::<OrderStatus>()
        .states::<PurchaseStatus>()
        .states::<DeliveryStatus>()
        .states::<PlanStatus>()
}
