//! What clients see of a module that fails, is slow, or is gone, and what the module sees of them.

use std::time::{Duration, Instant};

use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp, eventually};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::app_with;
use crate::module::Module;
use crate::raw::{Act, BAD_GATEWAY, OK, RawModule, connect, read_to_end, statuses};

/// The gateway, with a module for crm that does as it is told, and a usual one for everything else.
async fn app(crm: &RawModule, more: &[&str]) -> TestApp {
    let mut settings: Vec<String> = more.iter().map(|&setting| setting.to_owned()).collect();
    settings.extend([crm.as_crm(), "--cache-seconds=0".to_owned()]);
    app_with(&Module::start().await, &settings).await
}

fn request(app: &TestApp, method: Method) -> RequestBuilder {
    app.request(method, "/crm/leads").bearer_auth(app.token(Role::Admin))
}

/// How long clients are told to wait.
fn retry_after(answer: &Answer) -> u64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_used_again() {
    let crm = RawModule::start(|_| Act::Say(OK)).await;
    let app = app(&crm, &[]).await;
    for _ in 0..20 {
        app.post("/crm/leads", json!({})).await.expect(200);
    }
    assert_eq!((crm.heard().len(), crm.connections()), (20, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_harmless_is_sent_again() {
    for failure in [Act::Close, Act::Say(BAD_GATEWAY)] {
        let crm = RawModule::start(move |number| if number < 2 { failure } else { Act::Say(OK) }).await;
        let app = app(&crm, &[]).await;
        app.get("/crm/leads").await.expect(200);
        assert_eq!(crm.heard().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_might_be_done_twice_is_not_unless_its_key_tells() {
    let crm = RawModule::start(|number| if number < 2 { Act::Close } else { Act::Say(OK) }).await;
    let app = app(&crm, &[]).await;
    let problem = app.post("/crm/leads", json!({"n": 1})).await.expect_problem(503, "module_unavailable");
    assert_eq!(problem["module"], "crm");
    assert_eq!(crm.heard().len(), 1);
    let keyed = request(&app, Method::POST).header("idempotency-key", "k-1").json(&json!({"n": 2}));
    TestApp::read(keyed).await.expect(200);
    let heard = crm.heard();
    assert_eq!(heard.len(), 3);
    for attempt in &heard[1..] {
        assert!(attempt.ends_with(r#"{"n":2}"#) && attempt.contains("idempotency-key: k-1"), "{attempt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_when_to_come_back_is_not_asked_before() {
    const BUSY: &str = "HTTP/1.1 503 Busy\r\nretry-after: 17\r\ncontent-length: 0\r\n\r\n";
    const OWN: &str = "HTTP/1.1 503 No\r\ncontent-type: application/problem+json\r\nretry-after: 9\r\n\
        content-length: 20\r\n\r\n{\"code\":\"own words\"}";
    let crm = RawModule::start(|number| Act::Say(if number == 0 { BUSY } else { OWN })).await;
    let app = app(&crm, &[]).await;
    let answer = app.get("/crm/leads").await;
    assert_eq!(retry_after(&answer), 17);
    answer.expect_problem(503, "module_unavailable");
    // A module's own problem is its answer.
    let answer = app.get("/crm/leads").await;
    assert_eq!(retry_after(&answer), 9);
    assert_eq!(answer.expect(503)["code"], "own words");
    assert_eq!(crm.heard().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_module_is_not_hammered() {
    let crm = RawModule::start(|_| Act::Close).await;
    let app = app(&crm, &["--breaker-failures=100000"]).await;
    let began = Instant::now();
    for _ in 0..60 {
        app.get("/crm/leads").await.expect_problem(503, "module_unavailable");
    }
    // Ten at first, a fifth of the requests, one a second.
    let most = 60 + 10 + 12 + usize::try_from(began.elapsed().as_secs()).unwrap() + 1;
    let heard = crm.heard().len();
    assert!((70..=most).contains(&heard), "{heard} of at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_fails_is_left_alone_and_others_are_not() {
    let crm = RawModule::start(|_| Act::Close).await;
    let app = app(&crm, &["--breaker-failures=3", "--breaker-pause-ms=600000"]).await;
    app.get("/crm/leads").await.expect_problem(503, "module_unavailable");
    assert_eq!(crm.heard().len(), 3);
    for _ in 0..10 {
        let answer = app.get("/crm/leads").await;
        assert!((240..=601).contains(&retry_after(&answer)), "{}", retry_after(&answer));
        let problem = answer.expect_problem(503, "module_unavailable");
        assert_eq!(problem["module"], "crm");
    }
    assert_eq!(crm.heard().len(), 3, "it is not asked");
    app.get("/logistics/orders").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_back_is_found_by_one_probe() {
    // Three failures open it, the first probe fails too, the second finds the module.
    let crm = RawModule::start(|number| if number < 4 { Act::Close } else { Act::Say(OK) }).await;
    let app = app(&crm, &["--breaker-failures=3", "--breaker-pause-ms=100"]).await;
    app.get("/crm/leads").await.expect(503);
    app.eventually(async || (app.get("/crm/leads").await.status == 200).then_some(())).await;
    assert_eq!(crm.heard().len(), 5);
    for _ in 0..5 {
        app.get("/crm/leads").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens_is_a_failure_and_an_error_of_the_module_is_not() {
    const BROKEN: &str = "HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n";
    let crm = RawModule::start(|_| Act::Say(BROKEN)).await;
    let module = Module::start().await;
    let settings = [crm.as_crm(), "--task-url=http://127.0.0.1:1".to_owned()];
    let settings = [&settings[..], &["--breaker-failures=2".to_owned()]].concat();
    let app = app_with(&module, &settings).await;
    for _ in 0..5 {
        app.get("/crm/leads").await.expect(500);
    }
    let problem = app.get("/task/tasks").await.expect_problem(503, "module_unavailable");
    assert_eq!(problem["module"], "task");
    let problem = app.get("/task/tasks").await.expect_problem(503, "module_unavailable");
    assert_eq!(problem["detail"], "task is left alone for a while");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_its_time() {
    let crm = RawModule::start(|number| if number == 0 { Act::Stall } else { Act::Say(OK) }).await;
    let app = app(&crm, &["--module-timeout-ms=5000", "--breaker-failures=1"]).await;
    let wanted = |seconds: &str| TestApp::read(request(&app, Method::GET).header("request-timeout", seconds));
    let problem = wanted("0.3").await.expect_problem(504, "module_timeout");
    assert_eq!(problem["module"], "crm");
    eventually(async || (crm.left() == 1).then_some(())).await;
    // A client in a hurry has not opened the breaker. The module is told what is left, of what there is at most.
    wanted("1000").await.expect(200);
    app.get("/crm/leads").await.expect(200);
    let left: Vec<f64> = crm
        .heard()
        .iter()
        .map(|request| request.lines().find_map(|line| line.strip_prefix("request-timeout: ")).unwrap())
        .map(|seconds| seconds.parse().unwrap())
        .collect();
    assert!((0.0..=0.3).contains(&left[0]), "{left:?}");
    assert!((0.3..=5.0).contains(&left[1]) && (0.3..=5.0).contains(&left[2]), "{left:?}");
    for bad in ["soon", "0", "-1", "NaN", "inf", "1e400"] {
        wanted(bad).await.expect_problem(400, "malformed_header");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_too_slow_has_failed() {
    let crm = RawModule::start(|_| Act::Stall).await;
    let app = app(&crm, &["--module-timeout-ms=200", "--breaker-failures=1"]).await;
    app.get("/crm/leads").await.expect_problem(504, "module_timeout");
    app.get("/crm/leads").await.expect_problem(503, "module_unavailable");
    assert_eq!(crm.heard().len(), 1, "what took too long is not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_ends_the_request_to_the_module() {
    const BEGIN: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let crm = RawModule::start(|number| [Act::Stall, Act::SayAndStall(BEGIN)][number]).await;
    let app = app(&crm, &[]).await;
    let token = app.token(Role::Admin);
    for (number, begun) in [(1, ""), (2, "hello")] {
        let mut client = connect(&app).await;
        let head = format!("GET /crm/leads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        eventually(async || (crm.heard().len() == number).then_some(())).await;
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains(begun) {
            client.read_buf(&mut text).await.unwrap();
        }
        drop(client);
        eventually(async || (crm.left() == number).then_some(())).await;
    }
    // In the middle of its body.
    let mut client = connect(&app).await;
    let head = format!(
        "POST /crm/leads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: 200000\r\n\r\nhello"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    eventually(async || (crm.connections() == 3).then_some(())).await;
    drop(client);
    eventually(async || (crm.left() == 3).then_some(())).await;
    assert_eq!(crm.heard().len(), 2, "no module takes half of it for all");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stops_is_cut() {
    const BEGIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nhello";
    let crm = RawModule::start(|_| Act::SayAndStall(BEGIN)).await;
    let app = app(&crm, &["--body-idle-ms=200"]).await;
    let answer = request(&app, Method::GET).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.expect_err("half of it is not taken for all");
    eventually(async || (crm.left() == 1).then_some(())).await;
}

/// A small answer is read before anything of it goes on: whoever asked is told what became of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_answer_that_stops_is_told_of() {
    const BEGIN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
    let crm = RawModule::start(|_| Act::SayAndStall(BEGIN)).await;
    let app = app(&crm, &["--body-idle-ms=200"]).await;
    let problem = TestApp::read(request(&app, Method::GET)).await.expect_problem(504, "module_timeout");
    assert_eq!(problem["module"], "crm");
    eventually(async || (crm.left() == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_is_cut() {
    let crm = RawModule::start(|_| Act::Say(OK)).await;
    let app = app(&crm, &["--body-idle-ms=200", "--breaker-failures=1"]).await;
    let token = app.token(Role::Admin);
    for (kind, begin) in [
        ("content-length: 10", "hello"),
        ("content-length: 200000", "hello"),
        ("transfer-encoding: chunked", "5\r\nhello\r\n"),
    ] {
        let mut client = connect(&app).await;
        let head = format!(
            "POST /crm/leads HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{kind}\r\n\r\n{begin}"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut client).await;
        assert_eq!(statuses(&answer), [408], "{kind}: {answer}");
        assert!(answer.contains("body_timeout"), "{answer}");
    }
    assert_eq!(crm.heard().len(), 0, "no module takes half of it for all");
    // It was not the module's fault.
    app.get("/crm/leads").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_take_longer_to_arrive_than_a_module_to_answer() {
    let crm = RawModule::start(|_| Act::Say(OK)).await;
    let app = app(&crm, &["--module-timeout-ms=1000", "--breaker-failures=1"]).await;
    for (path, status) in [("/crm/leads", 408), ("/crm/import", 200)] {
        let (sender, receiver) = mpsc::channel::<std::io::Result<&'static str>>(1);
        tokio::spawn(async move {
            for _ in 0..6 {
                // The slowness of the client is what is tested.
                tokio::time::sleep(Duration::from_millis(250)).await;
                if sender.send(Ok("row\n")).await.is_err() {
                    return;
                }
            }
        });
        let body = reqwest::Body::wrap_stream(ReceiverStream::new(receiver));
        let request = app.request(Method::POST, path).bearer_auth(app.token(Role::Admin)).body(body);
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
}
