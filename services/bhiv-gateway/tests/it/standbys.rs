//! Whose reads the standbys of a module's database may answer.

use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::module::Module;
use crate::raw::{Act, OK, RawModule};
use crate::{app_with, prefix, replica_of};

const FAILED: &str = "HTTP/1.1 503 Unavailable\r\nbhiv-read: standby\r\ncontent-type: application/problem+json\r\n\
                      content-length: 23\r\n\r\n{\"code\": \"unavailable\"}";
const BROKEN: &str = "HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n";

/// Standbys may lack this much.
fn settings(staleness: u32, more: &[String]) -> Vec<String> {
    let settings = [format!("--module-read-staleness-ms={staleness}"), "--cache-seconds=0".to_owned()];
    [&settings, more].concat()
}

/// The gateway, as soon as it has found Redis.
async fn app(module: &Module, settings: &[String]) -> TestApp {
    let app = app_with(module, settings).await;
    found_redis(&app).await;
    app
}

async fn found_redis(app: &TestApp) {
    let request = || app.request(Method::GET, "/task/tasks").bearer_auth(app.token_of("nobody", Role::Admin));
    app.eventually(async || {
        let answer = TestApp::read(request().header("cache-control", "no-store")).await;
        (answer.expect(200)["headers"]["bhiv-read"] == "any").then_some(())
    })
    .await;
}

async fn ask(app: &TestApp, method: Method, path: &str, user: &str) -> Answer {
    let request = app.request(method, path).bearer_auth(app.token_of(user, Role::Admin));
    TestApp::read(request.header("bhiv-read", "any")).await
}

/// What a module is told of standbys when `user` reads.
async fn read(app: &TestApp, user: &str) -> Value {
    ask(app, Method::GET, "/task/tasks", user).await.expect(200)["headers"]["bhiv-read"].clone()
}

async fn write(app: &TestApp, user: &str) {
    ask(app, Method::POST, "/task/tasks", user).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wrote_just_now_reads_it_at_every_replica() {
    let module = Module::start().await;
    let settings = settings(600_000, &[format!("--redis-prefix={}", prefix())]);
    let app = app(&module, &settings).await;
    let other = replica_of(&app, &module, &settings);
    found_redis(&other).await;
    let (any, primary) = (json!("any"), Value::Null);
    write(&app, "asha").await;
    assert_eq!((read(&app, "asha").await, read(&other, "asha").await), (primary.clone(), primary));
    assert_eq!((read(&app, "ravi").await, read(&other, "ravi").await), (any.clone(), any));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_recent_for_a_while() {
    let app = app(&Module::start().await, &settings(50, &[])).await;
    write(&app, "asha").await;
    app.eventually(async || (read(&app, "asha").await == "any").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bound_without_redis_and_for_the_cache_the_primary_answers() {
    let module = Module::start().await;
    let unbounded = app_with(&module, &["--cache-seconds=0".to_owned()]).await;
    assert_eq!(read(&unbounded, "asha").await, Value::Null, "no client asks for it by itself");
    let alone = ["--redis-url=redis://127.0.0.1:1", "--redis-patience-ms=100"].map(str::to_owned);
    assert_eq!(read(&app_with(&module, &settings(600_000, &alone)).await, "asha").await, Value::Null);
    let keeping = app(&module, &settings(600_000, &["--cache-seconds=60".to_owned()])).await;
    assert_eq!(read(&keeping, "asha").await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_standby_fails_the_primary_is_asked() {
    for (primary, status) in [(OK, 200), (BROKEN, 500)] {
        let crm = RawModule::start(move |number| Act::Say(if number == 0 { FAILED } else { primary })).await;
        let app = app(&Module::start().await, &settings(600_000, &[crm.as_crm()])).await;
        ask(&app, Method::GET, "/crm/leads", "asha").await.expect(status);
        let heard = crm.heard();
        let asked: Vec<_> = heard.iter().map(|request| request.contains("\r\nbhiv-read: any\r\n")).collect();
        assert_eq!(asked, [true, false], "{heard:?}");
    }
}
