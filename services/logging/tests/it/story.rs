use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_events::task::{TaskCompleted, TaskCreated};
use bhiv_events::{Contract, Event};
use bhiv_testing::TestApp;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl as _;
use serde_json::json;
use uuid::Uuid;

use crate::{app, event, ids};

const STORY: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ff);

async fn heard<C: Contract>(app: &TestApp, seconds: i64, cause: Option<&Event>, data: &C) -> Event {
    let event = event(app, seconds, "user/asha", data);
    let event = Event { correlationid: STORY, causationid: cause.map(|cause| cause.id), ..event };
    app.deliver_twice(&event).await;
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_tells_what_led_to_what() {
    let app = app().await;
    let lead = heard(&app, 0, None, &LeadCreated::sample()).await;
    let task = heard(&app, 2, Some(&lead), &TaskCreated::sample()).await;
    let scored = heard(&app, 1, Some(&lead), &LeadScored::sample()).await;
    let unheard = app.event(&LeadCreated::sample());
    let completed = heard(&app, 9, Some(&unheard), &TaskCompleted::sample()).await;
    let again = heard(&app, 3, Some(&task), &TaskCreated::sample()).await;
    // Another story.
    app.deliver_twice(&unheard).await;

    let story = app.get(&format!("/logs/story/{STORY}")).await.expect(200);
    let [lead, task, scored, completed, again] =
        [lead, task, scored, completed, again].map(|event| event.id.to_string());
    assert_eq!(ids(&story["entries"]), [&lead, &scored, &task, &again, &completed].map(String::as_str));
    assert_eq!(
        story["causes"],
        json!([
            {"entry": lead, "effects": [
                {"entry": scored, "effects": []},
                {"entry": task, "effects": [{"entry": again, "effects": []}]},
            ]},
            {"entry": completed, "effects": []},
        ])
    );
    assert_eq!((&story["truncated"], &story["correlation_id"]), (&json!(false), &json!(STORY)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_story_is_told_up_to_a_point() {
    let app = app().await;
    let first = heard(&app, 0, None, &LeadCreated::sample()).await;
    let path = format!("/logs/story/{STORY}");
    repeat(&app, 999).await;
    let whole = app.get(&path).await.expect(200);
    assert_eq!((ids(&whole["entries"]).len(), &whole["truncated"]), (1_000, &json!(false)));
    repeat(&app, 1).await;
    let part = app.get(&path).await.expect(200);
    assert_eq!((ids(&part["entries"]).len(), &part["truncated"]), (1_000, &json!(true)));
    assert_eq!(ids(&part["entries"])[0], first.id.to_string(), "the beginning is what is told");
}

/// Adds copies of the first entry, each later than it.
async fn repeat(app: &TestApp, times: i32) {
    diesel::sql_query(
        "INSERT INTO entries SELECT copy.* FROM entries AS first, generate_series(1, $1) AS n,
           jsonb_populate_record(first, jsonb_build_object(
             'id', gen_random_uuid(), 'timestamp', first.timestamp + n * interval '1 second')) AS copy
         WHERE first.timestamp = (SELECT min(timestamp) FROM entries)",
    )
    .bind::<Integer, _>(times)
    .execute(&mut app.database.connect().await)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_that_nobody_heard_of_is_missing() {
    let app = app().await;
    app.get(&format!("/logs/story/{STORY}")).await.expect_problem(404, "not_found");
    app.get("/logs/story/once-upon-a-time").await.expect_problem(404, "not_found");
}
