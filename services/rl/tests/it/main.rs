//! rl through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod decisions;
mod learning;
mod outcomes;
mod reactions;
mod refusals;

use bhiv_testing::TestApp;
use rl::{Config, Rl};
use serde_json::{Value, json};

bhiv_testing::service_rules!(rl::Rl);

async fn app() -> TestApp {
    TestApp::start::<Rl>(Config::default()).await
}

/// A decision that was made between two candidates.
async fn decision(app: &TestApp) -> Value {
    let new = json!({"query": "Which way?", "context": {"rain": true}, "candidates": ["left", "right"]});
    app.post("/rl/decisions", new).await.expect(201)
}

/// The address of a decision.
fn path(decision: &Value) -> String {
    format!("/rl/decisions/{}", decision["decision_id"].as_str().unwrap())
}

/// The policy for a kind of decision.
async fn policy(app: &TestApp, kind: &str) -> Value {
    let policies = app.get("/rl/policies").await.expect(200);
    let items = policies["items"].as_array().unwrap();
    items.iter().find(|policy| policy["kind"] == kind).unwrap().clone()
}
