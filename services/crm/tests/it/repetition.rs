use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;

async fn post(app: &TestApp, key: &str, body: Value) -> Answer {
    let request = app.request(Method::POST, "/crm/leads").bearer_auth(app.token(Role::Sales));
    TestApp::read(request.header("Idempotency-Key", key).json(&body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_same_answer_and_has_one_effect() {
    let app = app().await;
    let first = post(&app, "k", json!({"name": "A", "email": "a@example.com"})).await;
    let again = post(&app, "k", json!({"email": "a@example.com", "name": "A"})).await;
    assert_eq!(first.headers.get("idempotency-replayed"), None);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(first.expect(201), again.expect(201));
    assert_eq!(app.recorded_names().await, ["lead_created"]);
    assert_eq!(app.audited().await, ["lead.create"]);

    let other = post(&app, "k", json!({"name": "B", "email": "a@example.com"})).await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_repeated_like_a_creation() {
    let app = app().await;
    let lead = post(&app, "k", json!({"name": "A", "email": "a@example.com"})).await.expect(201);
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    let patch = async || {
        let request = app.request(Method::PATCH, &path).bearer_auth(app.token(Role::Sales));
        TestApp::read(request.header("Idempotency-Key", "p").json(&json!({"status": "contacted"}))).await
    };
    let (first, again) = (patch().await, patch().await);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.expect(200), again.expect(200));
    assert_eq!(app.recorded_names().await, ["lead_created", "lead_updated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_remembered() {
    let app = app().await;
    post(&app, "k", json!({"name": ""})).await.expect_problem(422, "invalid_input");
    let created = post(&app, "k", json!({"name": "A", "email": "a@example.com"})).await;
    assert_eq!(created.headers.get("idempotency-replayed"), None);
    created.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused() {
    let app = app().await;
    for bad in ["", "a b", &"x".repeat(256)] {
        let answer = post(&app, bad, json!({"name": "A", "email": "a@example.com"})).await;
        answer.expect_problem(400, "invalid_idempotency_key");
    }
}
