use bhiv_auth::Role;
use bhiv_events::core::AccessDenied;
use bhiv_testing::TestApp;
use futures_util::stream;
use reqwest::Method;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::module::Module;
use crate::raw::{Act, OK, RawModule};
use crate::{app, app_with};

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

/// With headers that are meant for the next connection only.
const HOPS: &str = "HTTP/1.1 200 OK\r\nconnection: keep-alive, X-Hop\r\nkeep-alive: timeout=5\r\nx-hop: 1\r\n\
    access-control-allow-origin: *\r\nx-kept: yes\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_one_connection_stay_there() {
    let module = Module::start().await;
    let app = app(&module).await;
    let request = app
        .request(Method::GET, "/crm/leads")
        .bearer_auth(app.token(Role::Sales))
        .header("connection", "x-hop, X-Other")
        .header("x-hop", "1")
        .header("x-other", "2")
        .header("te", "trailers")
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("x-kept", "yes");
    let seen = TestApp::read(request).await.expect(200);
    for name in ["connection", "x-hop", "x-other", "te", "proxy-authorization"] {
        assert_eq!(seen["headers"][name], json!(null), "{name}");
    }
    assert_eq!(seen["headers"]["x-kept"], "yes");
    let crm = RawModule::start(|_| Act::Say(HOPS)).await;
    let app = app_with(&module, &[crm.as_crm()]).await;
    let answer = app.get("/crm/leads").await;
    for name in ["x-hop", "keep-alive", "access-control-allow-origin"] {
        assert!(answer.headers.get(name).is_none(), "{name}");
    }
    assert_eq!(answer.headers["x-kept"], "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_request_comes_from_is_what_the_gateway_says() {
    let module = Module::start().await;
    let behind = app_with(&module, &["--trusted-proxies=127.0.0.0/8".to_owned()]).await;
    let direct = app_with(&module, &[]).await;
    for (app, address, proto, host) in
        [(direct, "127.0.0.1", "http", None), (behind, "198.51.100.1", "https", Some("api.example.com"))]
    {
        let request = app
            .request(Method::GET, "/crm/leads")
            .bearer_auth(app.token(Role::Sales))
            .header("x-forwarded-for", "203.0.113.9, 198.51.100.1")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "api.example.com")
            .header("x-forwarded-port", "1")
            .header("x-real-ip", "203.0.113.9")
            .header("forwarded", "for=203.0.113.9");
        let seen = TestApp::read(request).await.expect(200);
        let host = host.unwrap_or(app.url.strip_prefix("http://").unwrap());
        let headers = &seen["headers"];
        assert_eq!(headers["forwarded"], format!("for={address};proto={proto};host=\"{host}\""));
        for other in ["for", "proto", "host", "port"].map(|what| format!("x-forwarded-{what}")) {
            assert_eq!(headers[other], json!(null));
        }
        assert_eq!(headers["x-real-ip"], json!(null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_on_as_it_arrives() {
    let module = Module::start().await;
    let app = app(&module).await;
    let (sender, receiver) = mpsc::channel::<std::io::Result<&'static str>>(1);
    sender.send(Ok("begin")).await.unwrap();
    let body = reqwest::Body::wrap_stream(ReceiverStream::new(receiver));
    let request = app.request(Method::POST, "/crm/first").bearer_auth(app.token(Role::Sales)).body(body);
    // The module has it, and has answered, before there is an end.
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "begin");
    drop(sender);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_body_stay_so() {
    let module = Module::start().await;
    let app = app(&module).await;
    for (method, path, status, length) in [
        (Method::HEAD, "/crm/large", 200, Some("3000000")),
        (Method::GET, "/crm/empty", 204, None),
        (Method::GET, "/crm/unchanged", 304, None),
        (Method::GET, "/crm/large", 200, Some("3000000")),
    ] {
        let request = app.request(method.clone(), path).bearer_auth(app.token(Role::Sales));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        let headers = answer.headers();
        assert_eq!(headers.get("content-length").map(|length| length.to_str().unwrap()), length, "{path}");
        assert!(headers.get("transfer-encoding").is_none(), "{path}");
        let expected = if method == Method::GET && status == 200 { 3_000_000 } else { 0 };
        assert_eq!(answer.bytes().await.unwrap().len(), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_before_the_module_has_it() {
    let crm = RawModule::start(|_| Act::Say(OK)).await;
    let app = app_with(&Module::start().await, &[crm.as_crm()]).await;
    let post = |path: &str| app.request(Method::POST, path).bearer_auth(app.token(Role::Sales));
    let whole = TestApp::read(post("/crm/leads").body("x".repeat(1_048_577))).await;
    whole.expect_problem(413, "body_too_large");
    let chunks = |count| {
        let chunks = stream::iter((0..count).map(|_| Ok::<_, std::io::Error>("x".repeat(65_536))));
        reqwest::Body::wrap_stream(chunks)
    };
    // Of unknown length, with a key or without.
    TestApp::read(post("/crm/leads").body(chunks(17))).await.expect_problem(413, "body_too_large");
    let keyed = post("/crm/leads").header("idempotency-key", "k-1").body(chunks(17));
    TestApp::read(keyed).await.expect_problem(413, "body_too_large");
    assert!(crm.heard().is_empty(), "no module takes a part of it for all");
    TestApp::read(post("/crm/leads").body(chunks(16))).await.expect(200);
    TestApp::read(post("/crm/leads").header("idempotency-key", "k-2").body(chunks(16))).await.expect(200);
    TestApp::read(post("/crm/import").body(chunks(100))).await.expect(200);
    let ours = TestApp::read(post("/event/unified").json(&json!({"a": "x".repeat(200_000)}))).await;
    ours.expect_problem(413, "body_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_asked_of_rl() {
    let module = Module::start().await;
    let app = app(&module).await;
    let seen = app.post("/bhiv/agent/decide", json!({"query": "?"})).await.expect(200);
    assert_eq!(seen["path"], "/rl/decisions");
    let other = app.get("/bhiv/agent/decide").await;
    assert_eq!(other.headers["allow"], "POST", "it does not stand for all that rl has there");
    other.expect_problem(405, "method_not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_down_is_named_and_the_gateway_goes_on() {
    let module = Module::start().await;
    let app = app(&module).await;
    app.get("/crm/activities").await.expect(200);
    module.stop().await;
    // What is kept open to it may take one more request.
    let down = async || Some(app.get("/crm/activities").await).filter(|answer| answer.status == 503);
    let problem = app.eventually(down).await.expect_problem(503, "module_unavailable");
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

/// A file that comes slowly: `lines` of them, or without end.
fn slow_file(lines: Option<usize>) -> actix_web::HttpResponse {
    let line = move |number: usize| async move {
        // How slow it is is what is tested.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let line = actix_web::web::Bytes::from_static(b"a line\n");
        lines.is_none_or(|lines| number < lines).then_some((Ok::<_, actix_web::Error>(line), number + 1))
    };
    actix_web::HttpResponse::Ok()
        .content_type("text/csv")
        .streaming(Box::pin(futures_util::stream::unfold(0, line)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_its_time_and_is_cut_after_it() {
    let module = Module::serving(|app| {
        app.route("/crm/export", actix_web::web::to(|| async { slow_file(None) }))
            .route("/crm/leads", actix_web::web::to(|| async { slow_file(Some(30)) }));
    })
    .await;
    let app = crate::app_with(&module, &["--export-timeout-ms=300".to_owned()]).await;
    let get = async |path: &str| {
        let request = app.request(Method::GET, path).bearer_auth(app.token(Role::Admin));
        request.send().await.unwrap()
    };
    let export = get("/crm/export?entity=leads").await;
    assert_eq!(export.status(), 200);
    export.bytes().await.expect_err("what was cut off is not taken for all");
    assert_eq!(
        get("/crm/leads").await.bytes().await.unwrap().len(),
        30 * 7,
        "others have the time they need"
    );
}
