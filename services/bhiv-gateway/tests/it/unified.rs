use bhiv_auth::Role;
use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::core::UnifiedReceived;
use bhiv_events::rl::EventScored;
use bhiv_events::task::WorkflowTriggered;
use bhiv_events::{Contract, Event};
use bhiv_testing::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app;
use crate::module::Module;

fn new() -> Value {
    json!({"task_id": "t-1", "user_id": "ravi", "event_type": "order_reviewed", "consent_flag": true,
           "rl_score": 0.8, "metadata": {"channel": "phone"}})
}

fn caused<C: Contract>(app: &TestApp, cause: Uuid) -> Event {
    Event { causationid: Some(cause), ..app.event(&C::sample()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_it_is_shown_as_it_arrives() {
    let module = Module::start().await;
    let app = app(&module).await;
    let unified = app.post("/event/unified", new()).await.expect(201);
    let [told] = app.recorded_as::<UnifiedReceived>().await.try_into().unwrap();
    assert_eq!(json!(told.unified_id), unified["id"]);
    assert_eq!(told.metadata["channel"], "phone");
    assert_eq!(app.audited().await, ["unified.receive"]);

    let path = format!("/event/unified/{}", unified["id"].as_str().unwrap());
    let state = app.get(&path).await.expect(200);
    assert_eq!((&state["outcomes"], &state["complete"]), (&json!([]), &json!(false)));
    assert_eq!(state["log"]["event_type"], "unified_received");

    let cause: Uuid = unified["event_id"].as_str().unwrap().parse().unwrap();
    app.deliver_twice(&caused::<EventScored>(&app, cause)).await;
    app.deliver_twice(&caused::<ComplianceChecked>(&app, cause)).await;
    app.deliver_twice(&caused::<WorkflowTriggered>(&app, cause)).await;
    app.deliver_twice(&app.event(&EventScored::sample())).await;
    let state = app.get(&path).await.expect(200);
    let kinds: Vec<_> =
        state["outcomes"].as_array().unwrap().iter().map(|outcome| outcome["kind"].clone()).collect();
    assert_eq!(kinds, ["event_scored", "compliance_checked", "workflow_triggered"]);
    assert_eq!((&state["complete"], &state["partial"]), (&json!(true), &json!([])));

    module.stop().await;
    let state = app.get(&path).await.expect(200);
    assert_eq!((&state["complete"], &state["partial"]), (&json!(false), &json!(["logging"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_nothing_is_processed() {
    let module = Module::start().await;
    let app = app(&module).await;
    let mut refused = new();
    refused["consent_flag"] = json!(false);
    let problem = app.post("/event/unified", refused).await.expect_problem(403, "consent_required");
    assert_eq!(problem["subject"], "ravi");
    assert!(app.recorded_as::<UnifiedReceived>().await.is_empty());

    let bad = json!({"task_id": "", "rl_score": 2, "consent_flag": "yes", "event_type": "x"});
    let problem = app.post("/event/unified", bad).await.expect_problem(422, "invalid_input");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/consent_flag", "/rl_score", "/task_id", "/user_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_look_and_do_not_report() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    let unified = app.post("/event/unified", new()).await.expect(201);
    app.speak_as(Role::Viewer);
    app.post("/event/unified", new()).await.expect_problem(403, "permission_denied");
    app.get(&format!("/event/unified/{}", unified["id"].as_str().unwrap())).await.expect(200);
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    app.get(&format!("/event/unified/{nobody}")).await.expect_problem(404, "not_found");
}
