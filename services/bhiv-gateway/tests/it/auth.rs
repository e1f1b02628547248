use bhiv_auth::Role;
use bhiv_events::core::UserChanged;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;
use crate::module::Module;

fn credentials(password: &str) -> Value {
    json!({"email": "ravi@example.com", "password": password})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_registers_gets_a_role_and_logs_in() {
    let module = Module::start().await;
    let app = app(&module).await;
    let new = json!({"email": "Ravi@Example.com", "name": "Ravi", "password": "correct horse"});
    let post = |path: &str, body: &Value| app.request(Method::POST, path).json(body);
    let user = TestApp::read(post("/auth/register", &new)).await.expect(201);
    assert_eq!(user["roles"], json!(["viewer"]));
    assert!(!user.to_string().contains("argon2"), "nobody gets to see the hash");
    TestApp::read(post("/auth/register", &new)).await.expect_problem(409, "email_taken");

    let path = format!("/auth/users/{}", user["id"].as_str().unwrap());
    app.patch(&path, json!({"roles": ["sales", "support"]})).await.expect(200);
    app.patch(&path, json!({"roles": ["root"]})).await.expect_problem(422, "invalid_input");
    assert_eq!(app.get(&path).await.expect(200)["roles"], json!(["sales", "support"]));

    let token = TestApp::read(post("/auth/login", &credentials("correct horse"))).await.expect(200);
    let me = app.request(Method::GET, "/auth/me").bearer_auth(token["access_token"].as_str().unwrap());
    let me = TestApp::read(me).await.expect(200);
    assert_eq!((&me["id"], &me["roles"]), (&user["id"], &json!(["sales", "support"])));
    assert_eq!(app.recorded_as::<UserChanged>().await.len(), 2);
    assert_eq!(app.audited().await, ["user.register", "user.update", "session.begin"]);
    let recorded = format!("{:?}", app.recorded().await);
    assert!(!recorded.contains("argon2"), "no event and no audit row has the hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let module = Module::start().await;
    let app = app(&module).await;
    let post = |path: &str, body: &Value| app.request(Method::POST, path).json(body);
    let new = json!({"email": "ravi@example.com", "name": "Ravi", "password": "correct horse"});
    TestApp::read(post("/auth/register", &new)).await.expect(201);
    let wrong = TestApp::read(post("/auth/login", &credentials("battery staple"))).await;
    let mut wrong = wrong.expect_problem(401, "wrong_credentials");
    let unknown = json!({"email": "nobody@example.com", "password": "battery staple"});
    let mut unknown =
        TestApp::read(post("/auth/login", &unknown)).await.expect_problem(401, "wrong_credentials");
    for problem in [&mut wrong, &mut unknown] {
        problem.as_object_mut().unwrap().remove("request_id");
    }
    assert_eq!(wrong, unknown);
    let short = json!({"email": "a@example.com", "name": "A", "password": "short"});
    let problem = TestApp::read(post("/auth/register", &short)).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/password");
    assert!(!problem.to_string().contains("\"short\""), "a password is not repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_manage_users() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    app.speak_as(Role::Manager);
    let problem = app.get("/auth/users").await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "gateway:admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_keys_are_published_and_nothing_else() {
    let module = Module::start().await;
    let app = app(&module).await;
    let keys = TestApp::read(app.request(Method::GET, "/.well-known/jwks.json")).await.expect(200);
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert_eq!(key["d"], json!(null));
}
