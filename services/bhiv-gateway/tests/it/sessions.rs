use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::module::Module;
use crate::{app, app_with, prefix, replica_of};

const PASSWORD: &str = "correct horse";

pub async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    TestApp::read(app.request(Method::POST, path).json(&body)).await
}

/// Somebody registers; answers their id.
pub async fn register(app: &TestApp, email: &str) -> String {
    let new = json!({"email": email, "name": "Somebody", "password": PASSWORD});
    let user = post(app, "/auth/register", new).await.expect(201);
    user["id"].as_str().unwrap().to_owned()
}

pub async fn login(app: &TestApp, email: &str) -> Value {
    post(app, "/auth/login", json!({"email": email, "password": PASSWORD})).await.expect(200)
}

async fn refresh(app: &TestApp, token: &Value) -> Answer {
    post(app, "/auth/refresh", json!({"refresh_token": token["refresh_token"]})).await
}

async fn me(app: &TestApp, token: &Value) -> Answer {
    let request = app.request(Method::GET, "/auth/me");
    TestApp::read(request.bearer_auth(token["access_token"].as_str().unwrap())).await
}

/// Waits until this replica has found Redis.
pub async fn with_sessions(app: &TestApp, email: &str) {
    register(app, email).await;
    app.eventually(async || login(app, email).await["refresh_token"].as_str().map(drop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_carries_a_session_on_once() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let first = login(&app, "ravi@example.com").await;
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(first["refresh_expires_in"], 30 * 24 * 3600);

    // The access token ends, the session does not.
    app.clock.advance(TimeDelta::minutes(20));
    me(&app, &first).await.expect_problem(401, "token_expired");
    let second = refresh(&app, &first).await.expect(200);
    let session = me(&app, &second).await.expect(200)["session"].clone();
    let third = refresh(&app, &second).await.expect(200);
    assert_eq!(me(&app, &third).await.expect(200)["session"], session);

    // Whoever comes with a used one ends it for everybody, the thief and the owner.
    refresh(&app, &second).await.expect_problem(401, "refresh_token_reused");
    refresh(&app, &third).await.expect_problem(401, "session_ended");
    me(&app, &third).await.expect_problem(401, "session_ended");
    let audited = app.audited().await;
    assert_eq!(audited.iter().filter(|action| *action == "session.reuse").count(), 1);
    // Other sessions go on.
    login(&app, "ravi@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_refresh_token_at_once_one_gets_through() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let token = login(&app, "ravi@example.com").await;
    let answers = futures_util::future::join_all((0..8).map(|_| refresh(&app, &token))).await;
    let through = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(through, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 401)));
    // And what it got is of no use: the others have ended the session.
    let got = answers.into_iter().find(|answer| answer.status == 200).unwrap().expect(200);
    refresh(&app, &got).await.expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_is_never_taken_for_the_other() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let token = login(&app, "ravi@example.com").await;
    let as_access = json!({"access_token": token["refresh_token"]});
    me(&app, &as_access).await.expect_problem(401, "invalid_token");
    let as_refresh = json!({"refresh_token": token["access_token"]});
    refresh(&app, &as_refresh).await.expect_problem(401, "invalid_token");
    refresh(&app, &json!({"refresh_token": "nonsense"})).await.expect_problem(401, "invalid_token");
    post(&app, "/auth/refresh", json!({})).await.expect_problem(422, "invalid_input");
    // The session is untouched.
    refresh(&app, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_a_session_at_every_replica() {
    let module = Module::start().await;
    let settings = [format!("--redis-prefix={}", prefix())];
    let app = app_with(&module, &settings).await;
    let other = replica_of(&app, &module, &settings);
    with_sessions(&app, "ravi@example.com").await;
    with_sessions(&other, "mina@example.com").await;

    let token = login(&app, "ravi@example.com").await;
    let stays = login(&app, "ravi@example.com").await;
    let logout = app.request(Method::POST, "/auth/logout").json(&json!({}));
    let logout = logout.bearer_auth(token["access_token"].as_str().unwrap());
    TestApp::read(logout).await.expect(204);
    me(&app, &token).await.expect_problem(401, "session_ended");
    other.eventually(async || (me(&other, &token).await.status == 401).then_some(())).await;
    for replica in [&app, &other] {
        refresh(replica, &token).await.expect_problem(401, "session_ended");
        me(replica, &stays).await.expect(200);
    }
    // A replica that comes later learns of it as well.
    let later = replica_of(&app, &module, &settings);
    later.eventually(async || (me(&later, &token).await.status == 401).then_some(())).await;

    let shown =
        app.request(Method::GET, "/auth/sessions").bearer_auth(stays["access_token"].as_str().unwrap());
    let shown = TestApp::read(shown).await.expect(200);
    let sessions = shown["items"].as_array().unwrap();
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    assert_eq!(&sessions[0]["id"], &me(&app, &stays).await.expect(200)["session"]);

    let everywhere = json!({"refresh_token": stays["refresh_token"], "everywhere": true});
    let third = login(&app, "ravi@example.com").await;
    post(&app, "/auth/logout", everywhere).await.expect(204);
    for token in [&stays, &third] {
        me(&app, token).await.expect_problem(401, "session_ended");
        refresh(&app, token).await.expect_problem(401, "session_ended");
    }
    // Nobody else is concerned.
    login(&other, "mina@example.com").await;
    post(&app, "/auth/logout", json!({})).await.expect_problem(401, "missing_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_ones_own_can_be_ended_by_id() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    with_sessions(&app, "mina@example.com").await;
    let (ravi, phone) = (login(&app, "ravi@example.com").await, login(&app, "ravi@example.com").await);
    let mina = login(&app, "mina@example.com").await;
    let session = me(&app, &phone).await.expect(200)["session"].as_str().unwrap().to_owned();
    let end = async |token: &Value| {
        let request = app.request(Method::DELETE, &format!("/auth/sessions/{session}"));
        TestApp::read(request.bearer_auth(token["access_token"].as_str().unwrap())).await
    };
    end(&mina).await.expect_problem(404, "not_found");
    end(&ravi).await.expect(204);
    me(&app, &phone).await.expect_problem(401, "session_ended");
    me(&app, &ravi).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_logins_close_the_account_for_a_growing_time() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    closes(&app, "ravi@example.com").await;
    // Whether there is such an account makes no difference.
    closes(&app, "nobody@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_process_counts_failed_logins() {
    let module = Module::start().await;
    let app = app_with(&module, &["--redis-url=redis://127.0.0.1:1/0".to_owned()]).await;
    register(&app, "ravi@example.com").await;
    let token = login(&app, "ravi@example.com").await;
    assert_eq!(token["refresh_token"], json!(null), "nothing to carry it on");
    me(&app, &token).await.expect(200);
    // A password that cannot end the other sessions stays what it is.
    let change = json!({"current_password": PASSWORD, "new_password": "something new"});
    let change = app.request(Method::POST, "/auth/password").json(&change);
    let change = change.bearer_auth(token["access_token"].as_str().unwrap());
    TestApp::read(change).await.expect_problem(503, "unavailable");
    login(&app, "ravi@example.com").await;
    closes(&app, "ravi@example.com").await;
    let nothing = json!({"refresh_token": "x"});
    post(&app, "/auth/refresh", nothing).await.expect_problem(401, "invalid_token");
}

async fn closes(app: &TestApp, email: &str) {
    let attempt =
        async |password: &str| post(app, "/auth/login", json!({"email": email, "password": password})).await;
    for _ in 0..5 {
        attempt("battery staple").await.expect_problem(401, "wrong_credentials");
    }
    // The right one is not looked at either.
    let problem = attempt(PASSWORD).await.expect_problem(429, "login_locked");
    assert_eq!(problem["retry_after"], 5);
    app.clock.advance(TimeDelta::seconds(5));
    attempt("battery staple").await.expect_problem(401, "wrong_credentials");
    let problem = attempt("battery staple").await.expect_problem(429, "login_locked");
    assert_eq!(problem["retry_after"], 10);
    app.clock.advance(TimeDelta::seconds(10));
    if email != "nobody@example.com" {
        attempt(PASSWORD).await.expect(200);
        // All is forgotten.
        attempt("battery staple").await.expect_problem(401, "wrong_credentials");
        attempt(PASSWORD).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_all_other_sessions() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let (here, there) = (login(&app, "ravi@example.com").await, login(&app, "ravi@example.com").await);
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let request = app.request(Method::POST, "/auth/password").json(&body);
        TestApp::read(request.bearer_auth(here["access_token"].as_str().unwrap())).await
    };
    change("battery staple", "something new").await.expect_problem(401, "wrong_credentials");
    change(PASSWORD, "short").await.expect_problem(422, "invalid_input");
    change(PASSWORD, "something new").await.expect(204);
    me(&app, &here).await.expect(200);
    me(&app, &there).await.expect_problem(401, "session_ended");
    let old = json!({"email": "ravi@example.com", "password": PASSWORD});
    post(&app, "/auth/login", old).await.expect_problem(401, "wrong_credentials");
    let recorded = format!("{:?}", app.recorded().await);
    assert!(!recorded.contains("argon2"), "no event and no audit row has the hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_is_out_at_once() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "boss@example.com").await;
    let id = register(&app, "ravi@example.com").await;
    let token = login(&app, "ravi@example.com").await;
    app.patch(&format!("/auth/users/{id}"), json!({"disabled": true})).await.expect(200);
    me(&app, &token).await.expect_problem(401, "session_ended");
    refresh(&app, &token).await.expect_problem(401, "session_ended");
    let again = json!({"email": "ravi@example.com", "password": PASSWORD});
    post(&app, "/auth/login", again.clone()).await.expect_problem(401, "wrong_credentials");
    app.patch(&format!("/auth/users/{id}"), json!({"disabled": false})).await.expect(200);
    post(&app, "/auth/login", again).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_is_in_the_next_token() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let token = login(&app, "ravi@example.com").await;
    let id = me(&app, &token).await.expect(200)["id"].as_str().unwrap().to_owned();
    app.patch(&format!("/auth/users/{id}"), json!({"roles": [Role::Sales.name()]})).await.expect(200);
    let token = refresh(&app, &token).await.expect(200);
    let me = me(&app, &token).await.expect(200);
    assert_eq!(me["roles"], json!(["sales"]));
    assert!(me["permissions"].as_array().unwrap().contains(&json!("crm:write")));
}
