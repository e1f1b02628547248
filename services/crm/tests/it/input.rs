//! What every route has in common, shown at crm's.

use bhiv_auth::Role;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_body_is_listed_at_once() {
    let app = app().await;
    let bad = json!({"email": "no address", "budget": -1, "phone": 7, "colour": "red",
                     "consent": {"purposes": "all", "until": "2030"}});
    let problem = app.post("/crm/leads", bad).await.expect_problem(422, "invalid_input");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        ["/budget", "/colour", "/consent/purposes", "/consent/until", "/email", "/name", "/phone"]
    );
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_be_stored_is_refused() {
    let app = app().await;
    let bad = json!({"name": "A\0B", "email": "a@example.com", "need": "racks\0"});
    let problem = app.post("/crm/leads", bad).await.expect_problem(422, "invalid_input");
    assert_eq!(pointers(&problem), ["/name", "/need"]);
    app.get("/crm/leads?q=%00").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_query_is_listed_at_once() {
    let app = app().await;
    let problem = app.get("/crm/leads?limit=0&status=asleep&colour=red&cursor=x").await;
    let problem = problem.expect_problem(422, "invalid_input");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["?colour", "?cursor", "?limit", "?status"]);
    app.get("/crm/leads?limit=1&limit=2").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused() {
    let app = app().await;
    let post = |body: String, content_type: &str| {
        app.request(Method::POST, "/crm/leads")
            .bearer_auth(app.token(Role::Admin))
            .header("content-type", content_type)
            .body(body)
    };
    let json = "application/json";
    TestApp::read(post("{\"name\": ".to_owned(), json)).await.expect_problem(400, "malformed_json");
    TestApp::read(post("[]".to_owned(), json)).await.expect_problem(422, "invalid_input");
    TestApp::read(post("{}".to_owned(), "text/plain")).await.expect_problem(415, "unsupported_media_type");
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(200_000));
    TestApp::read(post(large, json)).await.expect_problem(413, "body_too_large");
    let strange = post("{}".to_owned(), json).header("x-correlation-id", "first");
    TestApp::read(strange).await.expect_problem(400, "malformed_header");
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_to_be_missing() {
    let app = app().await;
    app.get("/crm/leads/0190aaaa-0000-7000-8000-000000000001").await.expect_problem(404, "not_found");
    app.get("/crm/leads/42").await.expect_problem(404, "not_found");
    app.patch("/crm/leads/0190aaaa-0000-7000-8000-000000000001", json!({}))
        .await
        .expect_problem(404, "not_found");
    app.get("/crm/nothing").await.expect_problem(404, "not_found");
    let answer = app.delete("/crm/leads").await;
    assert_eq!(answer.headers["allow"], "GET, POST");
    answer.expect_problem(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_a_token_and_the_permission() {
    let mut app = app().await;
    let anonymous = TestApp::read(app.request(Method::GET, "/crm/leads")).await;
    assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
    anonymous.expect_problem(401, "missing_token");
    let forged = app.request(Method::GET, "/crm/leads").bearer_auth("x.y.z");
    TestApp::read(forged).await.expect_problem(401, "invalid_token");
    let stale = app.token(Role::Admin);
    app.clock.advance(chrono::TimeDelta::hours(2));
    let late = app.request(Method::GET, "/crm/leads").bearer_auth(stale);
    TestApp::read(late).await.expect_problem(401, "token_expired");

    app.speak_as(Role::Viewer);
    app.get("/crm/leads").await.expect(200);
    let new = json!({"name": "A", "email": "a@example.com"});
    let problem = app.post("/crm/leads", new).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "crm:write");
    assert_eq!(app.recorded().await, []);
}
