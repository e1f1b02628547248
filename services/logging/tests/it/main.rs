//! logging by delivered events and through its HTTP API.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit;
mod erasure;
mod hearing;
mod logs;
mod retention;
mod searches;
mod shipping;
mod stats;
mod story;
mod streams;
mod tree;

use bhiv_events::{Contract, Event};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use logging::{Config, Logging};
use serde_json::Value;

bhiv_testing::service_rules!(logging::Logging);

async fn app() -> TestApp {
    TestApp::start::<Logging>(Config::default()).await
}

/// With a key that checkpoints are signed with.
async fn signing_app() -> TestApp {
    TestApp::start_with::<Logging>(|pem| Config {
        logging_signing_key_file: Some(pem.to_owned()),
        ..Config::default()
    })
    .await
}

/// With a master key too, which is in `keys`.
async fn sealing_app() -> (TestApp, tempfile::TempDir) {
    let keys = tempfile::tempdir().unwrap();
    let master = keys.path().join("master.key");
    std::fs::write(&master, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").unwrap();
    let app = TestApp::start_with::<Logging>(|pem| Config {
        logging_signing_key_file: Some(pem.to_owned()),
        logging_master_key_file: Some(master),
        ..Config::default()
    })
    .await;
    (app, keys)
}

/// An event around `data`, so many seconds after the samples' time, done by `actor`.
fn event<C: Contract>(app: &TestApp, seconds: i64, actor: &str, data: &C) -> Event {
    let event = app.event(data);
    Event { time: event.time + TimeDelta::seconds(seconds), actor: actor.to_owned(), ..event }
}

/// Ids of the entries of an answer.
fn ids(logs: &Value) -> Vec<String> {
    logs.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

/// What the entry with that id says.
async fn entry(app: &TestApp, event: &Event) -> Value {
    app.get(&format!("/logs/{}", event.id)).await.expect(200)
}
