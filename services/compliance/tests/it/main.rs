//! compliance through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod checks;
mod consents;
mod duties;
mod erasures;
mod guide;
mod judging;
mod packs;
mod policies;
mod purposes;
mod reports;

use bhiv_events::Event;
use bhiv_testing::TestApp;
use compliance::{Compliance, Config};
use serde_json::{Value, json};

bhiv_testing::service_rules!(compliance::Compliance);

async fn app() -> TestApp {
    TestApp::start::<Compliance>(Config::default()).await
}

/// A person agrees.
async fn grant(app: &TestApp, subject: &str, purpose: &str) -> Value {
    say(app, true, subject, purpose).await
}

/// A person says no.
async fn revoke(app: &TestApp, subject: &str, purpose: &str) -> Value {
    say(app, false, subject, purpose).await
}

async fn say(app: &TestApp, yes: bool, subject: &str, purpose: &str) -> Value {
    let path = if yes { "/consent/grant" } else { "/consent/revoke" };
    app.post(path, json!({"subject": subject, "purpose": purpose})).await.expect(201)
}

/// A notice that can be agreed to.
async fn notice(app: &TestApp, purpose: &str, version: &str) -> Value {
    let new = json!({"purpose": purpose, "version": version, "language": "en", "text": "We call you"});
    app.post("/compliance/notices", new).await.expect(201)
}

/// Where a person stands.
async fn standing(app: &TestApp, subject: &str) -> Value {
    app.get(&format!("/consent/{}", subject.replace('/', "%2F"))).await.expect(200)
}

/// The judgement of an event that was delivered.
async fn check_of(app: &TestApp, event: &Event) -> Value {
    let page = app.get(&format!("/compliance/checks?event_id={}", event.id)).await.expect(200);
    assert_eq!(page["total"], 1, "{page:#}");
    page["items"][0].clone()
}

/// Changes the schema behind the service's back, as an operator may.
async fn sql(app: &TestApp, statement: &str) {
    use diesel_async::RunQueryDsl as _;
    let mut conn = app.database.connect().await;
    diesel::sql_query(statement).execute(&mut conn).await.unwrap();
}
