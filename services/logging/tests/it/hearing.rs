//! What becomes of an event that is heard.

use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_events::{AuditRecorded, Contract as _, Event, catalog};
use bhiv_outbox::Outcome;
use chrono::TimeDelta;
use diesel_async::RunQueryDsl as _;
use serde_json::json;
use uuid::Uuid;

use crate::{app, entry, event};

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_event_is_heard_once() {
    let app = app().await;
    let events: Vec<_> = catalog().iter().map(|kind| (kind.sample)(app.clock.id())).collect();
    for event in &events {
        let (done, repeated) = (app.deliver(event).await, app.deliver(event).await);
        assert!(done.iter().all(|outcome| *outcome == Outcome::Done), "{}: {done:?}", event.type_);
        assert!(repeated.iter().all(|outcome| *outcome == Outcome::Repeated), "{}", event.type_);
        let entry = entry(&app, event).await;
        assert_eq!((&entry["type"], &entry["data"]), (&json!(event.type_), &event.data));
    }
    assert_eq!(app.get("/logs").await.expect(200)["count"], json!(events.len()));
    assert_eq!(app.recorded_names().await, ["person_erased"], "memory tells only what it forgot");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_says_all_that_its_event_said() {
    let app = app().await;
    let cause = app.clock.id();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let event = Event {
        causationid: Some(cause),
        sequence: 7,
        traceparent: Some(format!("00-{trace}-b7ad6b7169203331-01")),
        ..event(&app, 3, "user/asha", &UnifiedReceived::sample())
    };
    app.deliver_twice(&event).await;
    assert_eq!(
        entry(&app, &event).await,
        json!({
            "id": event.id, "kind": "event", "event_type": "unified_received",
            "type": "bhiv.core.unified.received.v1", "source": "/bhiv/core",
            "subject": event.subject, "entity": event.subject, "actor": "user/asha",
            "correlation_id": event.correlationid, "causation_id": cause, "sequence": 7, "trace_id": trace,
            "task_id": "task-42", "user_id": "ravi", "rl_score": 0.8, "consent_flag": true, "action": null,
            "timestamp": event.time, "received_at": app.clock.now(), "data": event.data,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_row_says_who_did_what_to_what() {
    let app = app().await;
    let audit = AuditRecorded { entity: "lead/7".to_owned(), ..AuditRecorded::sample() };
    let event = event(&app, 0, "user/asha", &audit);
    app.deliver_twice(&event).await;
    let entry = entry(&app, &event).await;
    assert_eq!((&entry["kind"], &entry["action"]), (&json!("audit"), &json!("lead.create")));
    assert_eq!((&entry["entity"], &entry["subject"]), (&json!("lead/7"), &json!(event.subject)));
    assert_eq!(entry["user_id"], "asha");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_data_is_too_strange_to_be_kept() {
    let app = app().await;
    let fields = ["task_id", "rl_score", "consent_flag", "user_id"];
    let long = "x".repeat(100_000);
    let strange = [
        json!({"task_id": 7, "rl_score": "high", "consent_flag": "yes", "user_id": {"id": 1}}),
        json!({"task_id": long, "rl_score": 1e308, "consent_flag": 1, "user_id": long}),
        json!({"task_id": "", "rl_score": -1, "consent_flag": [], "user_id": ""}),
    ];
    for data in strange {
        let event = Event { data, ..app.event(&UnifiedReceived::sample()) };
        app.deliver_twice(&event).await;
        let entry = entry(&app, &event).await;
        assert!(fields.iter().all(|field| entry[field].is_null()), "{entry:#}");
        assert_eq!(entry["data"], event.data);
    }
    for data in [json!(null), json!([1, 2]), json!("text")] {
        let event = Event { data, ..app.event(&AuditRecorded::sample()) };
        app.deliver_twice(&event).await;
        assert_eq!(entry(&app, &event).await["data"], event.data);
    }
    // JSON has a character that PostgreSQL has not.
    let data = json!({"user_id": "a\0b", "\0": ["\0"]});
    let nul = Event { data, actor: "user/\0".to_owned(), ..app.event(&UnifiedReceived::sample()) };
    app.deliver_twice(&nul).await;
    let entry = entry(&app, &nul).await;
    assert_eq!((&entry["user_id"], &entry["actor"]), (&json!("a\u{fffd}b"), &json!("user/\u{fffd}")));
    assert_eq!(entry["data"], json!({"user_id": "a\u{fffd}b", "\u{fffd}": ["\u{fffd}"]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_unknown_kind_is_kept_too() {
    let app = app().await;
    let event = Event {
        type_: "bhiv.core.machine.overheated.v3".to_owned(),
        subject: format!("machine/{}", "9".repeat(1_000)),
        ..app.event(&UnifiedReceived::sample())
    };
    app.deliver_twice(&event).await;
    let entry = entry(&app, &event).await;
    assert_eq!(entry["event_type"], "machine_overheated");
    assert_eq!(entry["subject"].as_str().unwrap().len(), 500, "what no index takes is cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_score_may_be_called_either_way() {
    let app = app().await;
    let scored = event(&app, 0, "service/rl", &LeadScored { score: 0.72, ..LeadScored::sample() });
    app.deliver_twice(&scored).await;
    let entry = entry(&app, &scored).await;
    assert_eq!((&entry["rl_score"], &entry["user_id"]), (&json!(0.72), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_inbox_forgot_is_still_kept_once() {
    let app = app().await;
    let event = app.event(&LeadCreated::sample());
    app.deliver_twice(&event).await;
    let before = entry(&app, &event).await;
    let mut conn = app.database.connect().await;
    diesel::sql_query("DELETE FROM inbox").execute(&mut conn).await.unwrap();
    app.clock.advance(TimeDelta::days(40));
    assert_eq!(app.deliver(&event).await, [Outcome::Done]);
    assert_eq!(entry(&app, &event).await, before);
    assert_eq!(app.get("/logs").await.expect(200)["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_not_there_is_said_to_be_missing() {
    let app = app().await;
    app.get(&format!("/logs/{}", Uuid::from_u128(7))).await.expect_problem(404, "not_found");
    app.get("/logs/42").await.expect_problem(404, "not_found");
}
