use std::time::Duration;

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use diesel_async::RunQueryDsl as _;
use reqwest::{Method, Response};
use serde_json::json;

use crate::flood::{FLOOD, Ids, flood};
use crate::module::Module;
use crate::{app, app_with};

/// Reads a stream until `wanted` events have arrived; answers their ids and names.
pub async fn read(stream: &mut Response, wanted: usize) -> Vec<(String, String)> {
    let mut text = String::new();
    let reading = async {
        loop {
            let events: Vec<_> = text
                .split("\n\n")
                .filter_map(|block| {
                    let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
                    Some((field("id: ")?.to_owned(), field("event: ")?.to_owned()))
                })
                .collect();
            if events.len() >= wanted && text.ends_with("\n\n") {
                return events;
            }
            text += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.unwrap()
}

/// Reads a stream to its end.
async fn read_all(mut stream: Response) -> String {
    let mut text = String::new();
    let reading = async {
        while let Some(chunk) = stream.chunk().await.unwrap() {
            text += std::str::from_utf8(&chunk).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap();
    text
}

/// A token that ends in a second.
pub fn short_token(app: &TestApp) -> String {
    let almost = TimeDelta::minutes(59) + TimeDelta::seconds(59);
    app.clock.advance(-almost);
    let token = app.token(Role::Admin);
    app.clock.advance(almost);
    token
}

pub async fn open(app: &TestApp, role: Role, query: &str, last_id: Option<&str>) -> Response {
    let request = app.request(Method::GET, &format!("/events/stream{query}")).bearer_auth(app.token(role));
    let request = match last_id {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"retry:"));
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_shown_as_they_happen_and_after_a_break() {
    let module = Module::start().await;
    let app = app(&module).await;
    let mut stream = open(&app, Role::Admin, "", None).await;
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    let first = read(&mut stream, 1).await;
    assert_eq!(first[0].1, "lead_created");
    drop(stream);

    app.deliver_twice(&app.event(&LeadUpdated::sample())).await;
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    let mut stream = open(&app, Role::Admin, "", Some(&first[0].0)).await;
    let missed = read(&mut stream, 2).await;
    let names: Vec<_> = missed.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["lead_updated", "lead_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_shows_what_was_asked_for_and_may_be_seen() {
    let module = Module::start().await;
    let app = app(&module).await;
    let created = app.event(&LeadCreated::sample());
    let story = format!("?correlation_id={}", created.correlationid);
    let mut of_story = open(&app, Role::Admin, &story, None).await;
    let mut of_type = open(&app, Role::Admin, "?types=lead_updated,order_created", None).await;
    let mut of_viewer = open(&app, Role::Viewer, "", None).await;
    app.deliver_twice(&app.event(&ComplianceChecked::sample())).await;
    app.deliver_twice(&app.event(&LeadUpdated::sample())).await;
    app.deliver_twice(&created).await;
    assert_eq!(read(&mut of_story, 1).await[0].1, "lead_created");
    assert_eq!(read(&mut of_type, 1).await[0].1, "lead_updated");
    let seen: Vec<_> = read(&mut of_viewer, 2).await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(seen, ["lead_updated", "lead_created"], "viewers do not see compliance");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_place_is_refused() {
    let module = Module::start().await;
    let app = app(&module).await;
    let request = app.request(Method::GET, "/events/stream").bearer_auth(app.token(Role::Admin));
    TestApp::read(request.header("last-event-id", "first")).await.expect_problem(400, "malformed_header");
    app.get("/events/stream?since=1").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_types_are_refused_with_those_that_there_are() {
    let module = Module::start().await;
    let app = app(&module).await;
    let problem = app.get("/events/stream?types=lead_created,nonsense,audit_recorded").await;
    let problem = problem.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "?types");
    let message = problem["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("no event type: audit_recorded, nonsense; there are"), "{message}");
    assert!(message.contains("order_created"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_resumes_by_a_parameter() {
    let module = Module::start().await;
    let app = app(&module).await;
    for _ in 0..3 {
        app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    }
    let mut stream = open(&app, Role::Admin, "?last_event_id=1", None).await;
    let ids: Vec<_> = read(&mut stream, 2).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["2", "3"]);
    // The header is the newer of the two when a browser connects again by itself.
    let mut stream = open(&app, Role::Admin, "?last_event_id=1", Some("2")).await;
    assert_eq!(read(&mut stream, 1).await[0].0, "3");
    app.get("/events/stream?last_event_id=-1").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_told_when_events_are_missing() {
    let module = Module::start().await;
    let app = app(&module).await;
    for _ in 0..4 {
        app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    }
    let mut conn = app.context.read().await.unwrap();
    diesel::sql_query("DELETE FROM live_events WHERE seq < 3").execute(&mut conn).await.unwrap();
    drop(conn);
    for (last, expected) in [
        // The one after it is the first that is kept.
        ("2", vec![("3", "lead_created"), ("4", "lead_created")]),
        ("1", vec![("", "gap"), ("3", "lead_created"), ("4", "lead_created")]),
        ("999", vec![("", "gap"), ("3", "lead_created"), ("4", "lead_created")]),
    ] {
        let token = short_token(&app);
        let request = app.request(Method::GET, "/events/stream").bearer_auth(token);
        let text = read_all(request.header("last-event-id", last).send().await.unwrap()).await;
        let seen: Vec<_> = text
            .split("\n\n")
            .filter_map(|block| {
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
                Some((field("id: ").unwrap_or_default(), field("event: ")?))
            })
            .filter(|(_, name)| *name != "token_expired")
            .collect();
        assert_eq!(seen, expected, "after {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_stream_shows_that_it_is_there_and_ends_with_its_token() {
    let module = Module::start().await;
    let app = app_with(&module, &["--stream-heartbeat-ms=100".to_owned()]).await;
    let request = app.request(Method::GET, "/events/stream").bearer_auth(short_token(&app));
    let text = read_all(request.send().await.unwrap()).await;
    assert!(text.starts_with("retry: 2000\n: connected\n\n: still here\n\n"), "{text}");
    assert!(text.ends_with("event: token_expired\ndata: {}\n\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_dropped_and_holds_nobody_up() {
    let module = Module::start().await;
    let app = app_with(&module, &["--stream-most-behind=1000".to_owned()]).await;
    let mut slow = open(&app, Role::Admin, "", None).await;
    let mut quick = open(&app, Role::Admin, "", None).await;
    flood(&app, &mut quick).await;
    let mut seen = Ids::default();
    while seen.read(&mut slow).await {}
    let count = i64::try_from(seen.seen.len()).unwrap();
    assert!(count < FLOOD, "{count} events found place between the two");
    assert_eq!(seen.seen, (1..=count).collect::<Vec<_>>(), "in order up to there");
    assert_eq!(seen.last, "too_slow");

    // It comes back and misses nothing.
    let mut again = open(&app, Role::Admin, "", Some(&count.to_string())).await;
    let mut rest = Ids::default();
    while i64::try_from(rest.seen.len()).unwrap() < FLOOD - count {
        assert!(rest.read(&mut again).await);
    }
    assert_eq!(rest.seen, (count + 1..=FLOOD).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_limited_per_user_and_in_all() {
    let module = Module::start().await;
    let settings = ["--streams-per-user=2", "--streams-most=3", "--stream-heartbeat-ms=50"];
    let app = app_with(&module, &settings.map(str::to_owned)).await;
    let first = open(&app, Role::Admin, "", None).await;
    let _second = open(&app, Role::Admin, "", None).await;
    app.get("/events/stream").await.expect_problem(429, "too_many_streams");
    let _third = open(&app, Role::Viewer, "", None).await;
    let full = app.request(Method::GET, "/events/stream").bearer_auth(app.token(Role::Viewer));
    TestApp::read(full).await.expect_problem(503, "streams_full");
    // Whoever goes makes place.
    drop(first);
    app.eventually(async || {
        let request = app.request(Method::GET, "/events/stream").bearer_auth(app.token(Role::Admin));
        (request.send().await.unwrap().status() == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session() {
    let module = Module::start().await;
    let app = app_with(&module, &["--stream-heartbeat-ms=100".to_owned()]).await;
    let user = json!({"email": "ravi@example.com", "name": "Ravi", "password": "correct horse"});
    app.post("/auth/register", user).await.expect(201);
    let login = json!({"email": "ravi@example.com", "password": "correct horse"});
    let token = app.post("/auth/login", login).await.expect(200);
    let token = token["access_token"].as_str().unwrap();
    let stream = app.request(Method::GET, "/events/stream").bearer_auth(token).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let logout = app.request(Method::POST, "/auth/logout").bearer_auth(token).json(&json!({}));
    assert!(TestApp::read(logout).await.status.is_success());
    let text = read_all(stream).await;
    assert!(text.ends_with("event: session_ended\ndata: {}\n\n"), "{text}");
}
