use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{NOTHING, app, id, items, workflow};

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_what_was_heard_and_does_nothing() {
    let mut app = app().await;
    let saved = workflow(&app, "Call {{ data.name }}").await;
    for (number, budget) in [(1_u128, Some(100)), (2, Some(5000)), (3, None)] {
        let lead = LeadCreated {
            lead_id: uuid::Uuid::from_u128(number),
            budget: budget.map(Decimal::from),
            ..LeadCreated::sample()
        };
        app.deliver_twice(&app.event(&lead)).await;
    }
    let tasks = items(&app, "/task/tasks").await.len();
    let path = format!("/task/workflows/{}/backtest", id(&saved));
    let as_saved = app.post(&path, json!({})).await.expect(200);
    assert_eq!((&as_saved["events"], &as_saved["would_act"]), (&json!(3), &json!(3)));

    let draft = json!({
        "name": "Big ones", "trigger": "lead_created", "condition": "double(data.budget) > 1000.0",
        "actions": [{"create_task": {"title": "Visit {{ data.name }}", "priority": "high",
                                      "reference": "lead/{{ data.lead_id }}"}}],
    });
    let tried = app.post(&path, json!({"draft": draft})).await.expect(200);
    let counts = ["events", "would_act", "condition_not_met", "would_fail"].map(|name| tried[name].clone());
    assert_eq!(counts, [3, 1, 1, 1], "{tried:#}");
    assert_eq!(tried["examples"][0]["outcome"], "condition_not_met", "the newest first");
    assert!(tried["examples"][0]["error"].is_string(), "null is no number");
    let reference = format!("lead/{}", uuid::Uuid::from_u128(2));
    let says = format!("create task 'Visit Asha Verma' about {reference}, high");
    assert_eq!(tried["examples"][1]["steps"], json!([says]));
    let newest = app.post(&path, json!({"limit": 1})).await.expect(200);
    assert_eq!((&newest["events"], &newest["truncated"]), (&json!(1), &json!(true)));
    let later = app.clock.now() + chrono::TimeDelta::hours(1);
    assert_eq!(app.post(&path, json!({"from": later})).await.expect(200)["events"], 0);
    assert_eq!(items(&app, "/task/tasks").await.len(), tasks, "nothing is done");

    let mut wrong = draft.clone();
    wrong["condition"] = json!("data.budget >");
    app.post(&path, json!({"draft": wrong})).await.expect_problem(422, "invalid_condition");
    let unknown = format!("/task/workflows/{NOTHING}/backtest");
    app.post(&unknown, json!({})).await.expect_problem(404, "not_found");
    app.speak_as(Role::Manager);
    app.post(&path, json!({})).await.expect_problem(403, "permission_denied");
}
