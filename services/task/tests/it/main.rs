//! task through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backtest;
mod depth;
mod engine;
mod erasure;
mod feedback;
mod overdue;
mod receiver;
mod reviews;
mod shipped;
mod tasks;
mod timers;
mod waiting;
mod workflow_state;
mod workflows;

use bhiv_testing::TestApp;
use serde_json::{Value, json};
use task::{Config, TaskService};

bhiv_testing::service_rules!(task::TaskService);

/// An id that nothing has.
const NOTHING: &str = "0190aaaa-0000-7000-8000-000000000001";

async fn app() -> TestApp {
    TestApp::start::<TaskService>(Config::default()).await
}

/// The id of a record.
fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

/// A task that was created.
async fn task(app: &TestApp) -> Value {
    app.post("/task/tasks", json!({"title": "Call Asha"})).await.expect(201)
}

/// A workflow that was added: it creates a task with this title about each new lead.
async fn workflow(app: &TestApp, title: &str) -> Value {
    let new =
        json!({"name": "Test", "trigger": "lead_created", "actions": [{"create_task": {"title": title}}]});
    app.post("/task/workflows", new).await.expect(201)
}

/// The items of a list.
async fn items(app: &TestApp, path: &str) -> Vec<Value> {
    let page = app.get(path).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// One field of each item.
fn texts<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[field].as_str().unwrap()).collect()
}
