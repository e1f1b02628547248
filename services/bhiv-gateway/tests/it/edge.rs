//! What is refused before any module hears of it, and what every answer says to browsers.

use std::time::Instant;

use bhiv_auth::Role;
use bhiv_testing::TestApp;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::module::Module;
use crate::raw::{Act, OK, RawModule, connect, read_to_end, say, statuses};
use crate::{app, app_with};

const SITE: &str = "https://app.example.com";

/// A gateway in front of a module that tells how often it was reached.
async fn watched() -> (RawModule, TestApp) {
    let crm = RawModule::start(|_| Act::Say(OK)).await;
    // Nothing is answered for it.
    let app = app_with(&Module::start().await, &[crm.as_crm(), "--cache-seconds=0".to_owned()]).await;
    (crm, app)
}

/// A request with these lines, by an administrator.
fn head(app: &TestApp, line: &str, more: &str) -> String {
    let token = app.token(Role::Admin);
    format!("{line}\r\nhost: gateway\r\nauthorization: Bearer {token}\r\n{more}\r\n")
}

fn get(app: &TestApp, target: &str) -> String {
    head(app, &format!("GET {target} HTTP/1.1"), "connection: close\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_means_another_one_goes_nowhere() {
    let (crm, app) = watched().await;
    for target in [
        "/crm/../audit",
        "/audit/../crm/leads",
        "/crm/%2e%2e/audit",
        "/crm/.%2E/audit",
        "/crm/./leads",
        "/crm/leads/..",
        "//crm/leads",
        "/crm//leads",
        "/crm/%2F..",
        "/crm%2fleads",
        "/crm/%5c..%5caudit",
        "/crm/..\\audit",
        "/crm/leads%00",
        "/crm/leads%0d%0aX:y",
        "/crm/..;/audit",
        "/crm/%c0%ae%c0%ae/audit",
        "/crm/%zz",
        "http://gateway/crm/../audit",
        "http://gateway//crm/leads",
        "*",
    ] {
        let answer = say(&app, &get(&app, target)).await;
        assert_eq!(statuses(&answer), [400], "{target}: {answer}");
        assert!(answer.contains("\"malformed_path\""), "{target}: {answer}");
    }
    // What is no target at all, actix itself refuses.
    for target in ["/crm/\u{e4}", "/crm/a b", "crm/leads", "/crm/\u{1}", "http:///crm/leads"] {
        let answer = say(&app, &get(&app, target)).await;
        assert_eq!(statuses(&answer).first().map(|status| status / 100), Some(4), "{target}: {answer}");
    }
    assert!(crm.heard().is_empty(), "{:?}", crm.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_that_was_checked_is_the_path_that_is_asked_for() {
    let (crm, app) = watched().await;
    for (target, arrives) in [
        ("/crm/leads", "/crm/leads"),
        ("/crm/leads/", "/crm/leads/"),
        ("/crm/leads.", "/crm/leads."),
        ("/crm/...", "/crm/..."),
        ("/crm/a%20b;c=1", "/crm/a%20b;c=1"),
        ("/crm/%7Eravi", "/crm/%7Eravi"),
        ("/crm/leads?next=/../audit&x=%2e%2e", "/crm/leads?next=/../audit&x=%2e%2e"),
        ("http://elsewhere:1/crm/leads", "/crm/leads"),
    ] {
        let before = crm.heard().len();
        let answer = say(&app, &get(&app, target)).await;
        assert_eq!(statuses(&answer), [200], "{target}: {answer}");
        let heard = crm.heard();
        assert_eq!(heard.len(), before + 1);
        assert!(heard[before].starts_with(&format!("GET {arrives} HTTP/1.1\r\n")), "{}", heard[before]);
    }
    // These name nothing of crm's.
    for target in ["/crm;x/leads", "/crm./leads", "/CRM/leads", "/%63rm/leads"] {
        assert_eq!(statuses(&say(&app, &get(&app, target)).await), [404], "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_read_in_two_ways_is_read_in_none() {
    let (crm, app) = watched().await;
    let smuggled = "GET /crm/smuggled HTTP/1.1\r\nhost: gateway\r\n\r\n";
    let length = smuggled.len();
    for (what, lines, body) in [
        ("CL.TE", format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"), "0\r\n\r\n"),
        ("TE.CL", format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"), "0\r\n\r\n"),
        ("two lengths", format!("content-length: 0\r\ncontent-length: {length}\r\n"), ""),
        ("the same length twice", "content-length: 0\r\ncontent-length: 0\r\n".to_owned(), ""),
        ("a list of lengths", format!("content-length: 0, {length}\r\n"), ""),
        ("a length with a sign", "content-length: +0\r\n".to_owned(), ""),
        ("two encodings", "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n".to_owned(), "0\r\n\r\n"),
        ("an unknown encoding", "transfer-encoding: xchunked\r\n".to_owned(), "0\r\n\r\n"),
        ("chunked is not last", "transfer-encoding: chunked, identity\r\n".to_owned(), "0\r\n\r\n"),
        ("a space before the colon", "transfer-encoding : chunked\r\n".to_owned(), "0\r\n\r\n"),
        ("a folded line", "x-a: b\r\n transfer-encoding: chunked\r\n".to_owned(), "0\r\n\r\n"),
        ("a bare CR", "x-a: b\rtransfer-encoding: chunked\r\n".to_owned(), "0\r\n\r\n"),
        ("NUL", "x-a: \0\r\n".to_owned(), ""),
        ("a second host", "host: other\r\n".to_owned(), ""),
    ] {
        let text = head(&app, "POST /crm/leads HTTP/1.1", &lines) + body + smuggled;
        let answer = say(&app, &text).await;
        assert_eq!(statuses(&answer), [400], "{what}: {answer}");
        assert!(crm.heard().is_empty(), "{what}: {:?}", crm.heard());
    }
    let old =
        head(&app, "POST /crm/leads HTTP/1.0", "transfer-encoding: chunked\r\n") + "0\r\n\r\n" + smuggled;
    assert_eq!(statuses(&say(&app, &old).await), [400]);
    assert!(crm.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_its_own_form_reaches_nobody_as_a_whole() {
    let (crm, app) = watched().await;
    let smuggled = "GET /crm/smuggled HTTP/1.1\r\nhost: gateway\r\n\r\n";
    for body in [
        "5\nhello\n0\n\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
    ] {
        let head = head(&app, "POST /crm/leads HTTP/1.1", "transfer-encoding: chunked\r\n");
        let answer = say(&app, &(head + body + smuggled)).await;
        assert!(matches!(statuses(&answer)[..], [] | [400]), "{body:?}: {answer}");
    }
    assert!(crm.heard().is_empty(), "{:?}", crm.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_line_feeds_do_not_make_two_requests_of_one() {
    let (crm, app) = watched().await;
    // RFC 9112 (2.2) lets a server take one for a line's end, and the library does. What is sent on is written anew.
    let text = head(&app, "POST /crm/leads HTTP/1.1", "connection: close\r\ncontent-length: 5\r\n") + "hello";
    let answer = say(&app, &text.replace("\r\n", "\n")).await;
    assert_eq!(statuses(&answer), [200], "{answer}");
    let heard = crm.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].ends_with("\r\n\r\nhello") && !heard[0].replace("\r\n", "").contains('\n'), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_refused_is_not_taken_for_the_next_request() {
    let (crm, app) = watched().await;
    let inner = get(&app, "/crm/smuggled");
    for (line, lines) in [
        ("POST /crm/../leads HTTP/1.1", String::new()),
        ("POST /nowhere HTTP/1.1", String::new()),
        ("POST /crm/leads HTTP/1.1", "request-timeout: never\r\n".to_owned()),
    ] {
        let lines = format!("{lines}connection: close\r\ncontent-length: {}\r\n", inner.len());
        let answer = say(&app, &(head(&app, line, &lines) + &inner)).await;
        assert_eq!(statuses(&answer).len(), 1, "{line}: {answer}");
    }
    assert!(crm.heard().is_empty(), "{:?}", crm.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_a_size() {
    let (crm, app) = watched().await;
    let close = "connection: close\r\n";
    let long = format!("GET /crm/leads?q={} HTTP/1.1", "x".repeat(9_000));
    let longer = format!("GET /crm/leads?q={} HTTP/1.1", "x".repeat(70_000));
    let (line, large) = ("GET /crm/leads HTTP/1.1", format!("{close}x-a: {}\r\n", "x".repeat(40_000)));
    let (many, more) = ("x-a: b\r\n".repeat(85), "x-a: b\r\n".repeat(100));
    for (text, status, code) in [
        (head(&app, &long, close), 414, "\"uri_too_long\""),
        (head(&app, &longer, close), 400, ""),
        (head(&app, line, &large), 431, "\"headers_too_large\""),
        (head(&app, line, &(close.to_owned() + &many)), 431, "\"headers_too_large\""),
        (head(&app, line, &more), 431, ""),
        (head(&app, line, &format!("x-a: {}\r\n", "x".repeat(140_000))), 431, ""),
        (head(&app, "TRACE /crm/leads HTTP/1.1", close), 405, "\"method_not_allowed\""),
        (head(&app, "CONNECT crm:80 HTTP/1.1", close), 405, "\"method_not_allowed\""),
        (head(&app, "G(T /crm/leads HTTP/1.1", close), 400, ""),
        (head(&app, "GET /crm/leads HTTP/3.0", close), 400, ""),
    ] {
        let answer = say(&app, &text).await;
        // A connection may be reset while much of the head is still on its way.
        let found = statuses(&answer);
        assert!(found == [status] || (found.is_empty() && text.len() > 100_000), "{}: {answer}", &text[..60]);
        assert!(found.is_empty() || answer.contains(code), "{answer}");
    }
    assert!(crm.heard().is_empty(), "{:?}", crm.heard());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let (crm, app) = watched().await;
    let began = Instant::now();
    let mut client = connect(&app).await;
    client.write_all(b"GET /crm/leads HTTP/1.1\r\nhost:").await.unwrap();
    let answer = read_to_end(&mut client).await;
    assert_eq!(statuses(&answer), [408], "after {:?}", began.elapsed());
    assert!(crm.heard().is_empty());
}

fn from_site(request: RequestBuilder) -> RequestBuilder {
    request.header("origin", SITE)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_chosen_origins_may_call() {
    let module = Module::start().await;
    let settings = [
        format!("--cors-origins={SITE},http://localhost:3000"),
        "--rate-limits=address=4/h,user=1000/m".to_owned(),
    ];
    let app = app_with(&module, &settings).await;
    let preflight = |origin: &'static str| {
        let request = app.request(Method::OPTIONS, "/crm/leads").header("origin", origin);
        TestApp::read(request.header("access-control-request-method", "PATCH"))
    };
    let answer = preflight(SITE).await;
    assert_eq!(answer.status, 204);
    assert_eq!(value(&answer.headers, "access-control-allow-origin"), SITE);
    assert!(value(&answer.headers, "access-control-allow-methods").contains("PATCH"));
    let allowed = value(&answer.headers, "access-control-allow-headers").to_ascii_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("idempotency-key"), "{allowed}");
    assert_eq!(value(&answer.headers, "access-control-allow-credentials"), "");
    assert_eq!(value(&answer.headers, "ratelimit-remaining"), "3", "preflights count");
    for stranger in ["https://evil.example", "https://app.example.com.evil.example", "null"] {
        let answer = preflight(stranger).await;
        assert_eq!(value(&answer.headers, "access-control-allow-origin"), "", "{stranger}");
        assert_eq!(value(&answer.headers, "access-control-allow-methods"), "", "{stranger}");
    }
    // Its limit is used up, and a page may read that.
    let refused = preflight(SITE).await;
    assert_eq!(value(&refused.headers, "access-control-allow-origin"), SITE);
    refused.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_read_answers_and_problems() {
    let module = Module::start().await;
    let app = app_with(&module, &[format!("--cors-origins={SITE}")]).await;
    let token = app.token(Role::Sales);
    for (path, status) in [("/crm/leads", 200), ("/crm/../x", 200), ("/nothing", 404), ("/auth/me", 200)] {
        let request = from_site(app.request(Method::GET, path)).bearer_auth(&token);
        let answer = TestApp::read(request).await;
        let found = answer.status.as_u16();
        assert!(found == status || path.contains(".."), "{path}: {found}");
        assert_eq!(value(&answer.headers, "access-control-allow-origin"), SITE, "{path}");
        assert_eq!(value(&answer.headers, "vary"), "Origin", "{path}");
        let exposed = value(&answer.headers, "access-control-expose-headers");
        for name in
            ["ETag", "Location", "RateLimit-Remaining", "Retry-After", "X-Request-Id", "Idempotency-Replayed"]
        {
            assert!(exposed.contains(name), "{name}");
        }
    }
    let stranger = app.request(Method::GET, "/").header("origin", "https://evil.example");
    assert_eq!(value(&TestApp::read(stranger).await.headers, "access-control-allow-origin"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_browsers_to_be_careful() {
    let module = Module::start().await;
    let app = app_with(&module, &["--hsts-seconds=31536000".to_owned()]).await;
    let created = app.post("/crm/created", json!({})).await;
    let (denied, missing) = (app.request(Method::GET, "/crm/leads"), app.get("/nothing").await);
    let denied = TestApp::read(denied).await;
    let malformed = app.get("/crm/leads%00").await;
    let ready = TestApp::read(app.request(Method::GET, "/health/live")).await;
    for answer in [created, denied, missing, malformed, ready] {
        let headers = &answer.headers;
        assert_eq!(value(headers, "x-content-type-options"), "nosniff");
        assert_eq!(value(headers, "referrer-policy"), "no-referrer");
        assert_eq!(value(headers, "x-frame-options"), "DENY");
        assert_eq!(value(headers, "content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(value(headers, "cache-control"), "no-store");
        assert_eq!(value(headers, "strict-transport-security"), "max-age=31536000");
        assert_eq!(value(headers, "access-control-allow-origin"), "");
    }
    let kept = app.get("/crm/cached").await;
    assert_eq!(
        value(&kept.headers, "cache-control"),
        "private, max-age=60",
        "a module may say something else"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_api_may_load_what_it_is_made_of() {
    let module = Module::start().await;
    let app = app(&module).await;
    let page = app.request(Method::GET, "/docs/").send().await.unwrap();
    let policy = value(page.headers(), "content-security-policy").to_owned();
    assert_eq!(value(page.headers(), "strict-transport-security"), "");
    for allowed in [
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(allowed), "{policy}");
    }
    // Scripts within the page would not run.
    let text = page.text().await.unwrap();
    for script in text.split("<script").skip(1) {
        assert!(script.starts_with(" src=\"./"), "{script}");
    }
}
