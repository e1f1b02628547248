//! rl through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod decisions;
mod forgetting;
mod judging;
mod kinds;
mod learning;
mod masks;
mod outcomes;
mod parts;
mod reactions;
mod refusals;

use bhiv_testing::TestApp;
use rl::{Config, Rl};
use serde_json::{Value, json};

bhiv_testing::service_rules!(rl::Rl);

async fn app() -> TestApp {
    TestApp::start::<Rl>(quick()).await
}

fn quick() -> Config {
    Config { learn_every_ms: 10, close_every_ms: 10 }
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

/// The policy, once it has learned from so many outcomes.
async fn learned(app: &TestApp, kind: &str, outcomes: i64) -> Value {
    app.eventually(async || {
        let policy = policy(app, kind).await;
        (policy["observations"] == outcomes).then_some(policy)
    })
    .await
}

/// Makes decisions until the replica does so with this version of the policy or a newer one; answers the last.
async fn decided_with(app: &TestApp, new: &Value, version: &Value) -> Value {
    app.eventually(async || {
        let made = app.post("/rl/decisions", new.clone()).await.expect(201);
        (made["policy_version"].as_i64() >= version.as_i64()).then_some(made)
    })
    .await
}

/// What every candidate of a decision was given, by name: of an action `score` or `propensity`.
fn judged(made: &Value, what: &str) -> Vec<(String, f64)> {
    let mut all = vec![(made["decision"].as_str().unwrap().to_owned(), made[what].as_f64().unwrap())];
    for other in made["alternatives"].as_array().unwrap() {
        all.push((other["action"].as_str().unwrap().to_owned(), other[what].as_f64().unwrap()));
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

/// Tells how a decision turned out.
async fn reward(app: &TestApp, made: &Value, reward: f64) {
    app.post(&format!("{}/outcome", path(made)), json!({"reward": reward})).await.expect(200);
}
