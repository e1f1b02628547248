use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;
use crate::module::Module;
use crate::sessions::{login, register, with_sessions};

struct Owner {
    id: String,
    token: String,
}

/// A user who sells.
async fn owner(app: &TestApp) -> Owner {
    with_sessions(app, "boss@example.com").await;
    let id = register(app, "ravi@example.com").await;
    app.patch(&format!("/auth/users/{id}"), json!({"roles": [Role::Sales.name()]})).await.expect(200);
    let token = login(app, "ravi@example.com").await["access_token"].as_str().unwrap().to_owned();
    Owner { id, token }
}

impl Owner {
    async fn make(&self, app: &TestApp, body: Value) -> Answer {
        let request = app.request(Method::POST, "/auth/keys").bearer_auth(&self.token);
        TestApp::read(request.json(&body)).await
    }
}

async fn ask(app: &TestApp, method: Method, path: &str, key: &str) -> Answer {
    TestApp::read(app.request(method, path).header("x-api-key", key).json(&json!({}))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_works_with_a_key_within_its_scopes() {
    let module = Module::start().await;
    let app = app(&module).await;
    let owner = owner(&app).await;
    let made = owner.make(&app, json!({"name": "importer", "scopes": ["crm:write", "task:read"]})).await;
    let made = made.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(made["hint"].as_str().unwrap()));
    assert!(!made.to_string().contains("hash"));

    let seen = ask(&app, Method::POST, "/crm/leads", key).await.expect(200);
    let headers = &seen["headers"];
    assert_eq!(headers["x-api-key"], json!(null), "no module gets to see it");
    assert!(headers["authorization"].as_str().unwrap().starts_with("Bearer eyJ"));
    let as_bearer = app.request(Method::GET, "/crm/leads").bearer_auth(key);
    TestApp::read(as_bearer).await.expect(200);
    ask(&app, Method::GET, "/task/tasks", key).await.expect(200);
    let problem = ask(&app, Method::POST, "/task/tasks", key).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "task:write");
    let me = ask(&app, Method::GET, "/auth/me", key).await.expect(200);
    assert_eq!(me["id"], format!("key/{}", made["id"].as_str().unwrap()));
    assert_eq!(me["permissions"], json!(["crm:write", "task:read"]));
    // The key counts, also beside a token that was seen before, and also when it is used for the first time.
    let other = owner.make(&app, json!({"name": "other", "scopes": ["crm:read"]})).await.expect(201);
    let known = app.request(Method::GET, "/auth/me").bearer_auth(&owner.token);
    assert_eq!(TestApp::read(known).await.expect(200)["id"], owner.id);
    let both = app.request(Method::POST, "/crm/leads").bearer_auth(&owner.token);
    let both = both.header("x-api-key", other["key"].as_str().unwrap()).json(&json!({}));
    TestApp::read(both).await.expect_problem(403, "permission_denied");
    // A machine makes no keys.
    let more = ask(&app, Method::GET, "/auth/keys", key).await;
    more.expect_problem(409, "not_a_user");

    let list = app.request(Method::GET, "/auth/keys").bearer_auth(&owner.token);
    let list = TestApp::read(list).await.expect(200);
    assert_eq!(list["total"], 2);
    assert!(list["items"][0]["last_used_at"].is_string());
    assert!(!list.to_string().contains(key), "it is shown once");
    let recorded = format!("{:?}", app.recorded().await);
    assert!(!recorded.contains(key), "and stored nowhere");
    assert!(app.audited().await.contains(&"api_key.make".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_for_what_its_owner_may_do_now() {
    let module = Module::start().await;
    let app = app(&module).await;
    let owner = owner(&app).await;
    let problem = owner.make(&app, json!({"name": "x", "scopes": ["crm:read", "logistics:write"]})).await;
    let problem = problem.expect_problem(403, "permission_denied");
    assert_eq!(problem["errors"][0]["pointer"], "/scopes/1");
    for bad in [
        json!({"name": "x", "scopes": []}),
        json!({"name": "", "scopes": ["crm:read"]}),
        json!({"name": "x", "scopes": ["crm:everything"]}),
        json!({"name": "x", "scopes": ["crm:read"], "expires_at": "2020-01-01T00:00:00Z"}),
    ] {
        owner.make(&app, bad).await.expect_problem(422, "invalid_input");
    }

    let made = owner.make(&app, json!({"name": "importer", "scopes": ["crm:write"]})).await.expect(201);
    let key = made["key"].as_str().unwrap();
    ask(&app, Method::POST, "/crm/leads", key).await.expect(200);
    app.patch(&format!("/auth/users/{}", owner.id), json!({"roles": ["viewer"]})).await.expect(200);
    // Within a minute.
    app.clock.advance(TimeDelta::seconds(61));
    ask(&app, Method::POST, "/crm/leads", key).await.expect_problem(403, "permission_denied");
    app.patch(&format!("/auth/users/{}", owner.id), json!({"disabled": true})).await.expect(200);
    ask(&app, Method::GET, "/crm/leads", key).await.expect_problem(401, "session_ended");
    app.clock.advance(TimeDelta::seconds(61));
    ask(&app, Method::GET, "/crm/leads", key).await.expect_problem(401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_when_it_is_revoked_or_expires() {
    let module = Module::start().await;
    let app = app(&module).await;
    let owner = owner(&app).await;
    let made = owner.make(&app, json!({"name": "importer", "scopes": ["crm:read"]})).await.expect(201);
    let key = made["key"].as_str().unwrap();
    ask(&app, Method::GET, "/crm/leads", key).await.expect(200);
    let path = format!("/auth/keys/{}", made["id"].as_str().unwrap());
    app.delete(&path).await.expect_problem(409, "not_a_user");
    let revoke = async || TestApp::read(app.request(Method::DELETE, &path).bearer_auth(&owner.token)).await;
    revoke().await.expect(204);
    revoke().await.expect(204);
    let refused = ask(&app, Method::GET, "/crm/leads", key).await;
    assert_eq!(refused.status, 401, "at once");

    let end = app.clock.now() + TimeDelta::seconds(90);
    let made =
        owner.make(&app, json!({"name": "x", "scopes": ["crm:read"], "expires_at": end})).await.expect(201);
    let key = made["key"].as_str().unwrap();
    ask(&app, Method::GET, "/crm/leads", key).await.expect(200);
    app.clock.advance(TimeDelta::seconds(91));
    ask(&app, Method::GET, "/crm/leads", key).await.expect_problem(401, "invalid_token");
    let unknown = format!("bhiv_{}", "A".repeat(43));
    ask(&app, Method::GET, "/crm/leads", &unknown).await.expect_problem(401, "invalid_token");
    ask(&app, Method::GET, "/crm/leads", "nonsense").await.expect_problem(401, "missing_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_key_and_shows_it_once() {
    let module = Module::start().await;
    let app = app(&module).await;
    let owner = owner(&app).await;
    let make = async || {
        let request = app.request(Method::POST, "/auth/keys").bearer_auth(&owner.token);
        let request = request.header("idempotency-key", "key-0001");
        TestApp::read(request.json(&json!({"name": "importer", "scopes": ["crm:read"]}))).await.expect(201)
    };
    let (first, again) = (make().await, make().await);
    assert_eq!(first["id"], again["id"]);
    assert!(first["key"].is_string());
    assert_eq!(again["key"], json!(null));
}
