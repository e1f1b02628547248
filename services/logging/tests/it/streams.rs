use std::time::Duration;

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;

/// What a stream brought so far.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(app: &TestApp, query: &str) -> Self {
        let token = app.token(Role::Compliance);
        let request = app.request(Method::GET, &format!("/logs/stream?{query}")).bearer_auth(token);
        let answer = request.send().await.unwrap().error_for_status().unwrap();
        let mut stream = Self { answer, text: String::new() };
        stream.until("connected").await;
        stream
    }

    /// Reads until this was brought; the end of the stream counts as brought nothing.
    async fn until(&mut self, wanted: &str) -> bool {
        let reading = async {
            while !self.text.contains(wanted) {
                let Some(chunk) = self.answer.chunk().await.unwrap() else { return false };
                self.text += &String::from_utf8_lossy(&chunk);
            }
            true
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_followed_as_they_come_in() {
    let app = app().await;
    let before = app.event(&LeadCreated::sample());
    app.deliver_twice(&before).await;
    let mut stream = Stream::open(&app, "event_type=lead_created").await;
    let score = app.event(&LeadScored::sample());
    app.deliver_twice(&score).await;
    let lead = app.event(&LeadCreated::sample());
    app.deliver_twice(&lead).await;
    assert!(stream.until(&lead.id.to_string()).await);
    let last = app.event(&LeadCreated::sample());
    app.deliver_twice(&last).await;
    assert!(stream.until(&format!("{}\nevent: lead_created\n", last.id)).await);
    assert!(!stream.text.contains(&before.id.to_string()), "what was there before is in the list");
    assert!(!stream.text.contains(&score.id.to_string()));
    assert_eq!(stream.text.matches(&format!("id: {}\n", lead.id)).count(), 1);
    let data = stream.text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    let entry: Value = serde_json::from_str(data).unwrap();
    assert_eq!(entry["data"], lead.data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token() {
    let app = app().await;
    let mut stream = Stream::open(&app, "").await;
    app.clock.advance(TimeDelta::hours(2));
    assert!(!stream.until("there is no such text").await);
    assert!(stream.text.ends_with(": bye\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_found_is_exported() {
    let app = app().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let lead = app.event(&LeadCreated::sample());
        app.deliver_twice(&lead).await;
        ids.push(lead.id.to_string());
    }
    app.deliver_twice(&app.event(&LeadScored::sample())).await;
    repeat(&app, 1_200).await;
    let token = app.token(Role::Compliance);
    let request = app.request(Method::GET, "/logs/export?event_type=lead_created").bearer_auth(token);
    let text = request.send().await.unwrap().text().await.unwrap();
    let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 1_203);
    assert!(found.windows(2).all(|two| two[0]["timestamp"].as_str() >= two[1]["timestamp"].as_str()));
    assert!(ids.iter().all(|id| found.iter().any(|entry| entry["id"] == json!(id))));
    let page = app.get("/logs?event_type=lead_created").await.expect(200);
    assert_eq!((&page["count"], &page["count_is_exact"]), (&json!(1_000), &json!(false)));
}

async fn repeat(app: &TestApp, times: i32) {
    use diesel_async::RunQueryDsl as _;
    diesel::sql_query(format!(
        "INSERT INTO entries SELECT copy.* FROM entries AS first, generate_series(1, {times}) AS n,
           jsonb_populate_record(first, jsonb_build_object(
             'id', gen_random_uuid(), 'timestamp', first.timestamp - n * interval '1 second')) AS copy
         WHERE first.id = (SELECT id FROM entries WHERE event_type = 'lead_created' LIMIT 1)"
    ))
    .execute(&mut app.database.connect().await)
    .await
    .unwrap();
}
