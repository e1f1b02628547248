//! logistics through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delays;
mod deliveries;
mod delivery_moves;
mod erasure;
mod inventory;
mod orders;
mod permissions;
mod purchasing;
mod reactions;
mod reservations;
mod routes;
mod tracking;

use bhiv_testing::TestApp;
use logistics::{Config, Logistics};
use serde_json::{Value, json};

bhiv_testing::service_rules!(logistics::Logistics);

/// An id that names nothing.
const NOBODY: &str = "0190aaaa-0000-7000-8000-000000000001";

async fn app() -> TestApp {
    TestApp::start::<Logistics>(Config::default()).await
}

/// The path of a record below `collection`.
fn path(collection: &str, record: &Value) -> String {
    format!("/logistics/{collection}/{}", record["id"].as_str().unwrap())
}

/// An order that was placed.
async fn order(app: &TestApp) -> Value {
    let items = json!([{"sku": "RACK-20", "quantity": 2, "price": "12500.00"}]);
    app.post("/logistics/orders", json!({"customer_id": "verma", "items": items})).await.expect(201)
}

/// Moves an order, and expects that it may.
async fn move_order(app: &TestApp, order: &Value, status: &str) -> Value {
    app.put(&format!("{}/status", path("orders", order)), json!({"status": status})).await.expect(200)
}

/// A delivery of `order` that was scheduled.
async fn delivery(app: &TestApp, order: &Value) -> Value {
    let new = json!({"order_id": order["id"], "delivery_date": "2027-02-01", "address": "1 Station Road"});
    app.post("/logistics/delivery", new).await.expect(201)
}

/// Moves a delivery, and expects that it may.
async fn move_delivery(app: &TestApp, delivery: &Value, status: &str) -> Value {
    app.put(&format!("{}/status", path("delivery", delivery)), json!({"status": status})).await.expect(200)
}
