//! crm through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod activities;
mod contacts;
mod conversion;
mod duplicates;
mod imports;
mod input;
mod leads;
mod opportunities;
mod pipeline;
mod reactions;
mod repetition;
mod visibility;

use bhiv_testing::TestApp;
use crm::{Config, Crm};
use serde_json::{Value, json};

bhiv_testing::service_rules!(crm::Crm);

async fn app() -> TestApp {
    TestApp::start::<Crm>(Config::default()).await
}

/// A lead that was created.
async fn lead(app: &TestApp) -> Value {
    let new = json!({"name": "Asha Verma", "email": "asha@example.com"});
    app.post("/crm/leads", new).await.expect(201)
}

/// An opportunity that was created, on a lead of its own.
async fn opportunity(app: &TestApp) -> Value {
    let lead = lead(app).await;
    let new = json!({"lead_id": lead["id"], "value": "25000.50"});
    app.post("/crm/opportunities", new).await.expect(201)
}

/// Of whom all is known that a qualified lead needs, and who is one.
async fn qualified(app: &TestApp, email: &str) -> Value {
    let new = json!({
        "name": "Asha Verma", "email": email, "company": "Verma Textiles", "phone": "+91 98765 43210",
        "budget": 1000, "authority": "decision_maker", "need": "racks", "timeline": "June",
    });
    let lead = app.post("/crm/leads", new).await.expect(201);
    app.patch(&path("leads", &lead), json!({"status": "qualified"})).await.expect(200)
}

/// Where a record is.
fn path(list: &str, record: &Value) -> String {
    format!("/crm/{list}/{}", record["id"].as_str().unwrap())
}
