//! crm through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod input;
mod leads;
mod opportunities;
mod reactions;
mod repetition;

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
