use bhiv_auth::Role;
use bhiv_events::core::AccessDenied;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::app;
use crate::module::Module;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_sent() {
    let module = Module::start().await;
    let app = app(&module).await;
    let request = app
        .request(Method::POST, "/crm/leads?status=new&q=a%20b")
        .bearer_auth(app.token(Role::Sales))
        .header("x-request-id", "request-0042")
        .header("x-correlation-id", "0190aaaa-0000-7000-8000-000000000001")
        .header("connection", "keep-alive")
        .json(&json!({"name": "A"}));
    let answer = TestApp::read(request).await;
    assert_eq!(answer.headers["x-module"], "echo");
    assert_eq!(answer.headers["x-request-id"], "request-0042");
    let seen = answer.expect(200);
    assert_eq!(seen["method"], "POST");
    assert_eq!((&seen["path"], &seen["query"]), (&json!("/crm/leads"), &json!("status=new&q=a%20b")));
    assert_eq!(seen["body"], r#"{"name":"A"}"#);
    let headers = &seen["headers"];
    assert_eq!(headers["x-request-id"], "request-0042");
    assert_eq!(headers["x-correlation-id"], "0190aaaa-0000-7000-8000-000000000001");
    assert_eq!(headers["authorization"], format!("Bearer {}", app.token(Role::Sales)));
    assert_eq!(headers["connection"], json!(null), "headers of one connection stay there");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_bodies_of_any_size_pass() {
    let module = Module::start().await;
    let app = app(&module).await;
    let created = app.post("/crm/created", json!({})).await;
    assert_eq!(created.headers["location"], "/crm/created/1");
    assert_eq!(created.expect(201), json!({"id": 1}));

    let request = app.request(Method::GET, "/crm/large").bearer_auth(app.token(Role::Viewer));
    assert_eq!(request.send().await.unwrap().bytes().await.unwrap().len(), 3_000_000);
    let large = app.request(Method::POST, "/crm/import").bearer_auth(app.token(Role::Sales));
    let seen = TestApp::read(large.body("x".repeat(200_000))).await.expect(200);
    assert_eq!(seen["length"], 200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_asked_of_rl() {
    let module = Module::start().await;
    let app = app(&module).await;
    let seen = app.post("/bhiv/agent/decide", json!({"query": "?"})).await.expect(200);
    assert_eq!(seen["path"], "/rl/decisions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_down_is_named_and_the_gateway_goes_on() {
    let module = Module::start().await;
    let app = app(&module).await;
    app.get("/crm/activities").await.expect(200);
    module.stop().await;
    let problem = app.get("/crm/activities").await.expect_problem(503, "module_unavailable");
    assert_eq!(problem["module"], "crm");
    app.get("/auth/me").await.expect(200);
    let health = app.get("/health").await.expect(200);
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["modules"]["crm"]["status"], "down");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_stopped_before_the_module_and_audited() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    let anonymous = app.request(Method::GET, "/crm/leads");
    TestApp::read(anonymous).await.expect_problem(401, "missing_token");
    app.speak_as(Role::Viewer);
    let problem = app.post("/crm/leads", json!({})).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "crm:write");
    app.get("/nothing/here").await.expect_problem(404, "not_found");

    let denied = app.eventually(async || {
        let denied = app.recorded_as::<AccessDenied>().await;
        (denied.len() == 2).then_some(denied)
    });
    let denied = denied.await;
    assert_eq!(denied[0].code, "missing_token");
    let said = (denied[1].code.as_str(), denied[1].method.as_str(), denied[1].path.as_str());
    assert_eq!(said, ("permission_denied", "POST", "/crm/leads"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_every_modules_operations() {
    let module = Module::start().await;
    let app = app(&module).await;
    let document = app.get("/openapi.json").await.expect(200);
    for path in ["/auth/login", "/rl/decisions", "/bhiv/agent/decide"] {
        assert!(document["paths"][path]["post"].is_object(), "{path}");
    }
    let page = app.request(Method::GET, "/docs/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(!page.text().await.unwrap().contains("https://"), "the page loads nothing from elsewhere");
    let script = app.request(Method::GET, "/docs/swagger-ui-bundle.js").send().await.unwrap();
    assert!(script.bytes().await.unwrap().len() > 100_000);
}
