use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::core::CustomPublished;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;
use crate::module::Module;

const STORY: &str = "0190aaaa-0000-7000-8000-000000000001";

fn ids(page: &Value) -> Vec<&Value> {
    page["items"].as_array().unwrap().iter().map(|event| &event["id"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_ones_own_kind_is_published_and_comes_back() {
    let module = Module::start().await;
    let app = app(&module).await;
    let new = json!({"event_type": "price.changed", "payload": {"list": "spring"}, "priority": "high"});
    let request = app.request(Method::POST, "/event/publish").bearer_auth(app.token(Role::Sales));
    let answer = TestApp::read(request.header("x-correlation-id", STORY).json(&new)).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let published = answer.expect(201);
    assert_eq!(location, format!("/event/events/{}", published["id"].as_str().unwrap()));
    assert_eq!((&published["correlation_id"], &published["priority"]), (&json!(STORY), &json!("high")));

    let [told] = app.recorded_as::<CustomPublished>().await.try_into().unwrap();
    assert_eq!((told.event_type.as_str(), &told.payload["list"]), ("price.changed", &json!("spring")));
    assert_eq!(app.audited().await, ["event.publish"]);

    app.get(&location).await.expect_problem(404, "not_found");
    let event = app.recorded().await.into_iter().find(|event| event.name() == "custom_published").unwrap();
    app.deliver_twice(&event).await;
    let shown = app.get(&location).await.expect(200);
    assert_eq!((&shown["actor"], &shown["data"]["priority"]), (&json!("user/sales-1"), &json!("high")));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_system_are_reserved() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    for reserved in ["lead_created", "custom_published", "audit_recorded", "webhook_test"] {
        let problem = app.post("/event/publish", json!({"event_type": reserved})).await;
        let problem = problem.expect_problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/event_type");
    }
    let bad = json!({"event_type": "two words", "payload": [], "priority": "now", "more": 1});
    let problem = app.post("/event/publish", bad).await.expect_problem(422, "invalid_input");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/event_type", "/more", "/payload", "/priority"]);
    app.speak_as(Role::Viewer);
    let problem = app.post("/event/publish", json!({"event_type": "mine"})).await;
    problem.expect_problem(403, "permission_denied");
    assert!(app.recorded_as::<CustomPublished>().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_events_are_listed() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    let (created, updated) = (app.event(&LeadCreated::sample()), app.event(&LeadUpdated::sample()));
    let checked = app.event(&ComplianceChecked::sample());
    let (created_id, updated_id, checked_id) = (json!(created.id), json!(updated.id), json!(checked.id));
    for event in [&created, &updated, &checked] {
        app.deliver_twice(event).await;
    }
    let all = app.get("/event/events").await.expect(200);
    assert_eq!(ids(&all), [&checked_id, &updated_id, &created_id], "the newest first, each once");
    assert_eq!((&all["total"], &all["next_cursor"]), (&json!(3), &Value::Null));

    let first = app.get("/event/events?limit=2").await.expect(200);
    assert_eq!(ids(&first), [&checked_id, &updated_id]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("/event/events?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((ids(&second), &second["next_cursor"]), (vec![&created_id], &Value::Null));

    for (query, expected) in [
        ("event_type=lead_updated", vec![&updated_id]),
        ("type=lead_created", vec![&created_id]),
        (&format!("correlation_id={}", updated.correlationid), vec![&updated_id]),
        ("since=2026-01-01T00:00:00Z", vec![&checked_id, &updated_id, &created_id]),
        ("until=2026-01-01T00:00:00Z", vec![]),
    ] {
        let page = app.get(&format!("/event/events?{query}")).await.expect(200);
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
    }
    let problem = app.get("/event/events?event_type=nonsense").await.expect_problem(422, "invalid_input");
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("lead_created"), "{problem:#}");

    app.speak_as(Role::Viewer);
    let seen = app.get("/event/events").await.expect(200);
    assert_eq!((ids(&seen), &seen["total"]), (vec![&updated_id, &created_id], &json!(2)));
    app.get(&format!("/event/events/{}", checked.id)).await.expect_problem(404, "not_found");
    app.get(&format!("/event/events/{}", created.id)).await.expect(200);
}
