use std::time::Duration;

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::TestApp;
use reqwest::{Method, Response};

use crate::app;
use crate::module::Module;

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
