//! Rewards with parts, late rewards, and decisions that are closed.

use bhiv_events::Contract as _;
use bhiv_events::logistics::{DeliveryCompleted, DeliveryDelayed, DeliveryFailed};
use bhiv_events::rl::OutcomeRecorded;
use bhiv_events::task::{TaskCompleted, TaskOverdue};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, learned, path};

async fn choose(app: &TestApp, kind: &str, reference: &str) -> Value {
    let new = json!({"query": "Who?", "kind": kind, "reference": reference, "context": {}, "candidates": ["asha", "ravi"]});
    app.post("/rl/decisions", new).await.expect(201)
}

async fn read(app: &TestApp, made: &Value) -> Value {
    app.get(&path(made)).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_come_one_by_one_and_make_one_reward() {
    let app = app().await;
    let made = choose(&app, "courier_choice", "delivery/x").await;
    let tell = async |body: Value| app.post(&format!("{}/outcome", path(&made)), body).await;
    let after = tell(json!({"parts": {"time": 0.25}, "comment": "Late"})).await.expect(200);
    assert_eq!(
        (&after["parts"], &after["reward"], &after["version"]),
        (&json!({"time": 0.25}), &json!(null), &json!(2))
    );
    let problem = tell(json!({"parts": {"time": 1}})).await.expect_problem(409, "outcome_exists");
    assert_eq!(problem["errors"][0]["pointer"], "/parts/time");
    let problem = tell(json!({"parts": {"colour": 1}})).await.expect_problem(422, "unknown_part");
    assert_eq!(problem["parts"], json!(["success", "time"]));
    for bad in [
        json!({"parts": {"success": 2}}),
        json!({"parts": {"success": 1}, "reward": 1}),
        json!({"comment": "x"}),
    ] {
        tell(bad).await.expect_problem(422, "invalid_input");
    }
    assert_eq!(app.recorded_as::<OutcomeRecorded>().await, []);
    let after = tell(json!({"parts": {"success": 1}})).await.expect(200);
    // 0.6 * 1 + 0.4 * 0.25.
    assert!((after["reward"].as_f64().unwrap() - 0.7).abs() < 1e-9);
    assert_eq!((&after["comment"], after["closed_at"].is_string()), (&json!("Late"), true));
    tell(json!({"parts": {"time": 1}})).await.expect_problem(409, "outcome_exists");
    let [event] = app.recorded_as::<OutcomeRecorded>().await.try_into().unwrap();
    assert!((event.reward - 0.7).abs() < 1e-9);
    learned(&app, "courier_choice", 1).await;

    // A kind without parts has none to be told.
    let other = crate::decision(&app).await;
    let problem = app.post(&format!("{}/outcome", path(&other)), json!({"parts": {"success": 1}})).await;
    assert_eq!(problem.expect_problem(422, "unknown_part")["parts"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_tasks_reward_whoever_was_chosen_for_them() {
    let app = app().await;
    let id = Uuid::from_u128;
    let delivery = |number| format!("delivery/{}", id(number));
    let [prompt, late, failed] = [
        choose(&app, "courier_choice", &delivery(1)).await,
        choose(&app, "courier_choice", &delivery(2)).await,
        choose(&app, "courier_choice", &delivery(3)).await,
    ];
    let delayed = DeliveryDelayed { delivery_id: id(2), ..DeliveryDelayed::sample() };
    app.deliver_twice(&app.event(&delayed)).await;
    assert_eq!(read(&app, &late).await["parts"], json!({"time": 0.0}));
    for number in [1, 2] {
        let completed = DeliveryCompleted { delivery_id: id(number), ..DeliveryCompleted::sample() };
        app.deliver_twice(&app.event(&completed)).await;
    }
    app.deliver_twice(&app.event(&DeliveryFailed { delivery_id: id(3), ..DeliveryFailed::sample() })).await;
    assert_eq!(read(&app, &prompt).await["reward"], 1.0);
    assert_eq!(read(&app, &late).await["reward"], 0.6, "it arrived, and too late");
    assert_eq!(read(&app, &failed).await["reward"], 0.0);

    let done = choose(&app, "task_assignment", &format!("task/{}", id(4))).await;
    let overdue = TaskOverdue { task_id: id(4), ..TaskOverdue::sample() };
    let completed = TaskCompleted { task_id: id(4), ..TaskCompleted::sample() };
    app.deliver_twice(&app.event(&overdue)).await;
    app.deliver_twice(&app.event(&completed)).await;
    assert_eq!(read(&app, &done).await["reward"], 0.6);
    // What is not rewarded for parts is not rewarded by a delay.
    let new = json!({"query": "Which?", "reference": delivery(5), "context": {}, "candidates": ["a", "b"]});
    let general = app.post("/rl/decisions", new).await.expect(201);
    let delayed = DeliveryDelayed { delivery_id: id(5), ..DeliveryDelayed::sample() };
    app.deliver_twice(&app.event(&delayed)).await;
    assert_eq!(read(&app, &general).await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_heard_in_time_is_closed_once() {
    let one = app().await;
    let other = TestApp::replica_of::<rl::Rl>(&one, |_| crate::quick());
    let app = &one;
    let lead = json!({"query": "How?", "kind": "lead_follow_up", "reference": "lead/1", "context": {}});
    let unheard = app.post("/rl/decisions", lead).await.expect(201);
    let partly = choose(app, "courier_choice", "delivery/1").await;
    let given_up = choose(app, "courier_choice", "delivery/2").await;
    app.post(&format!("{}/outcome", path(&partly)), json!({"parts": {"time": 0.5}})).await.expect(200);

    app.clock.advance(TimeDelta::days(14) + TimeDelta::seconds(1));
    let closed = async |made: &Value| {
        app.eventually(async || {
            let read = read(app, made).await;
            read["closed_at"].is_string().then_some(read)
        })
        .await
    };
    assert_eq!(closed(&partly).await["reward"], 0.5, "of the parts that are known");
    let nothing = closed(&given_up).await;
    assert_eq!((&nothing["reward"], &nothing["rewarded_at"]), (&json!(null), &json!(null)));
    assert_eq!(read(app, &unheard).await["closed_at"], json!(null), "it has 180 days");
    let late = app.post(&format!("{}/outcome", path(&given_up)), json!({"reward": 1})).await;
    late.expect_problem(409, "decision_closed");
    app.clock.advance(TimeDelta::days(180));
    assert_eq!(closed(&unheard).await["reward"], 0.0, "what counts when nothing is heard");
    learned(&other, "lead_follow_up", 1).await;
    learned(&other, "courier_choice", 1).await;
    assert_eq!(app.recorded_as::<OutcomeRecorded>().await.len(), 2, "once, with two replicas");
    let open = app.get("/rl/decisions?open=true").await.expect(200);
    assert_eq!(open["total"], 0);
}
