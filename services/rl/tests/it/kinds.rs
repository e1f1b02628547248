//! Kinds of decision are rows: made, changed, promoted and rolled back.

use bhiv_auth::Role;
use bhiv_events::rl::{PolicyPromoted, PolicyRolledBack};
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{app, decided_with, judged, learned, policy, reward};

fn doors() -> Value {
    json!({"kind": "door_choice", "says": "Which door", "actions": ["left", "right"], "prior": {"bias": 0.5, "action=left": 0.2},
           "settings": {"explorer": {"type": "square_cb", "gamma": 200}, "floor": 0.02, "apprentice_floor": 0.5,
                        "alpha": 0.1, "automatic": true}})
}

fn door() -> Value {
    json!({"query": "Which door?", "kind": "door_choice", "context": {}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_kind_of_decision_begins_as_an_apprentice() {
    let app = app().await;
    let answer = app.post("/rl/policies", doors()).await;
    assert_eq!(answer.headers["location"], "/rl/policies/door_choice");
    let made = answer.expect(201);
    assert_eq!(
        (&made["mode"], &made["version"], &made["observations"]),
        (&json!("apprentice"), &json!(1), &json!(0))
    );
    assert_eq!((&made["model"], &made["serves"]), (&json!("shared"), &json!(null)));
    assert_eq!(made["settings"]["window_seconds"], 2_592_000, "what it does not say is said");
    assert_eq!(app.get("/rl/policies/door_choice").await.expect(200), made);
    assert_eq!(policy(&app, "door_choice").await, made);

    let decision = app.post("/rl/decisions", door()).await.expect(201);
    assert_eq!(decision["mode"], "apprentice");
    assert_eq!(judged(&decision, "propensity"), [("left".to_owned(), 0.75), ("right".to_owned(), 0.25)]);
    assert_eq!(app.audited().await, ["policy.create", "decision.create"]);
    app.post("/rl/policies", doors()).await.expect_problem(409, "policy_exists");
}

/// The right door is better, which the prior does not know: the policy takes over by itself once that is sure.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_better_is_promoted_by_itself_and_can_be_rolled_back() {
    let app = app().await;
    app.post("/rl/policies", doors()).await.expect(201);
    let mut told = 0;
    let promoted = loop {
        for _ in 0..40 {
            let made = app.post("/rl/decisions", door()).await.expect(201);
            reward(&app, &made, if made["decision"] == "right" { 1.0 } else { 0.0 }).await;
            told += 1;
        }
        let policy = learned(&app, "door_choice", told).await;
        if policy["mode"] == "live" {
            break policy;
        }
        assert!(told < 2_000, "it is not sure after {told} decisions");
    };
    let [event] = app.recorded_as::<PolicyPromoted>().await.try_into().unwrap();
    assert!(event.automatic && event.uplift_lower > 0.0, "{event:?}");
    assert_eq!(event.decision_kind, "door_choice");
    assert!(event.model_version <= promoted["version"].as_i64().unwrap(), "it may have learned more since");
    let live = decided_with(&app, &door(), &promoted["version"]).await;
    assert_eq!(live["mode"], "live");
    assert!(judged(&live, "propensity")[1].1 > 0.9, "it has learned which: {live}");
    let evaluation = app.get("/rl/evaluation?kind=door_choice").await.expect(200);
    assert_eq!(evaluation["uplift"]["since_version"], event.model_version, "bounds begin anew");

    app.post("/rl/policies/door_choice/promote", json!({})).await.expect_problem(409, "policy_stands");
    let back = app.post("/rl/policies/door_choice/rollback", json!({})).await.expect(200);
    assert_eq!(back["mode"], "apprentice");
    app.post("/rl/policies/door_choice/rollback", json!({})).await.expect_problem(409, "policy_stands");
    let usual = decided_with(&app, &door(), &back["version"]).await;
    assert_eq!(judged(&usual, "propensity"), [("left".to_owned(), 0.75), ("right".to_owned(), 0.25)]);
    let [event] = app.recorded_as::<PolicyRolledBack>().await.try_into().unwrap();
    assert_eq!((event.serves, event.automatic), (None, false));
    let audited = app.audited().await;
    let changes: Vec<_> = audited.iter().filter(|action| action.starts_with("policy.")).collect();
    assert_eq!(changes, ["policy.create", "policy.promote", "policy.roll_back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_can_decide_while_the_newest_learns() {
    let app = app().await;
    let new = json!({"query": "Which way?", "context": {}, "candidates": ["left", "right"]});
    let tell = async |right: f64, left: f64, count: i64| {
        let before = policy(&app, "general").await["observations"].as_i64().unwrap();
        for _ in 0..count {
            let made = app.post("/rl/decisions", new.clone()).await.expect(201);
            reward(&app, &made, if made["decision"] == "right" { right } else { left }).await;
        }
        learned(&app, "general", before + count).await
    };
    let good = tell(1.0, 0.0, 30).await;
    let then = judged(&decided_with(&app, &new, &good["version"]).await, "score");
    let bad = tell(0.0, 0.0, 30).await;
    let now = judged(&decided_with(&app, &new, &bad["version"]).await, "score");
    assert!(then[1].1 > now[1].1 + 0.2, "{then:?} {now:?}");

    let unknown = json!({"version": 9_999});
    let problem =
        app.post("/rl/policies/general/rollback", unknown).await.expect_problem(422, "unknown_version");
    assert_eq!(problem["errors"][0]["pointer"], "/version");
    let back =
        app.post("/rl/policies/general/rollback", json!({"version": good["version"]})).await.expect(200);
    assert_eq!((&back["serves"], &back["mode"]), (&good["version"], &json!("live")));
    let again = app
        .eventually(async || {
            let made = app.post("/rl/decisions", new.clone()).await.expect(201);
            (made["policy_version"] == good["version"]).then_some(made)
        })
        .await;
    assert_eq!(judged(&again, "score"), then, "bit for bit what it knew");
    reward(&app, &again, 0.5).await;
    let after = learned(&app, "general", 61).await;
    assert_eq!(after["serves"], good["version"], "the newest learns meanwhile");
    let forward = app.post("/rl/policies/general/promote", json!({})).await.expect(200);
    assert_eq!(forward["serves"], json!(null));
    let newest = judged(&decided_with(&app, &new, &forward["version"]).await, "score");
    assert!(newest[1].1 < then[1].1 - 0.2, "{newest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_as_a_whole_and_checked() {
    let mut app = app().await;
    app.post("/rl/policies", doors()).await.expect(201);
    let changed = app
        .patch("/rl/policies/door_choice", json!({"says": "Which of two", "settings": {"explorer": {"type": "thompson", "width": 1}, "floor": 0.1}}))
        .await
        .expect(200);
    assert_eq!((&changed["says"], &changed["version"]), (&json!("Which of two"), &json!(2)));
    assert_eq!(changed["settings"]["alpha"], 0.05, "all of it");
    let same = app.patch("/rl/policies/door_choice", json!({"says": "Which of two"})).await.expect(200);
    assert_eq!(same["version"], 2, "nothing changed");

    let pointers = |problem: &Value| -> Vec<String> {
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    let bad = json!({"settings": {"explorer": {"type": "greedy", "gamma": 1}, "rules": [
        {"id": "a", "says": "A", "when": [{"fact": "x", "is": "below", "value": "y"}]},
        {"id": "a", "says": "A", "when": [{"fact": "x", "is": "present"}]}]}});
    let problem = app.patch("/rl/policies/door_choice", bad).await.expect_problem(422, "invalid_input");
    assert_eq!(
        pointers(&problem),
        ["/settings/explorer", "/settings/floor", "/settings/rules/0/when", "/settings/rules/1/id"]
    );
    for (bad, place) in [
        (json!({"settings": {"floor": 0.9}}), "/settings/floor"),
        (json!({"settings": {"window_seconds": 0}}), "/settings/window_seconds"),
        (json!({"settings": {"default_reward": 2}}), "/settings/default_reward"),
        (json!({"settings": {"learning_purpose": "No!"}}), "/settings/learning_purpose"),
        (json!({"settings": {"colour": 1}}), "/settings/colour"),
        (json!({"prior": {}}), "/prior"),
    ] {
        let problem = app.patch("/rl/policies/door_choice", bad).await.expect_problem(422, "invalid_input");
        assert_eq!(pointers(&problem), [place]);
    }
    let problem = app.post("/rl/policies", json!({"kind": "No", "says": "x"})).await;
    assert_eq!(pointers(&problem.expect_problem(422, "invalid_input")), ["/kind"]);
    let wild = json!({"kind": "wild", "says": "x", "prior": {"bias": 1e9}});
    let problem = app.post("/rl/policies", wild).await.expect_problem(422, "invalid_input");
    assert_eq!(pointers(&problem), ["/prior/bias"]);
    assert_eq!(policy(&app, "door_choice").await["version"], 2);

    app.get("/rl/policies/nothing").await.expect_problem(404, "not_found");
    for path in ["promote", "rollback"] {
        app.post(&format!("/rl/policies/nothing/{path}"), json!({})).await.expect_problem(404, "not_found");
    }
    app.speak_as(Role::Manager);
    let recorded = app.recorded().await.len();
    for (path, body) in [
        ("/rl/policies", doors()),
        ("/rl/policies/door_choice/promote", json!({})),
        ("/rl/policies/door_choice/rollback", json!({})),
    ] {
        let problem = app.post(path, body).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "rl:admin");
    }
    app.patch("/rl/policies/door_choice", json!({"says": "x"}))
        .await
        .expect_problem(403, "permission_denied");
    assert_eq!(app.recorded().await.len(), recorded);
}

/// Every kind that comes with the service decides, with the explorer that it says.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_that_comes_with_the_service_decides() {
    let app: TestApp = app().await;
    let couriers = json!([
        {"action": "asha", "features": {"load": 2, "distance_km": 3, "free_capacity": 40, "on_shift": true}},
        {"action": "ravi", "features": {"load": 5, "distance_km": 9, "free_capacity": 10, "on_shift": true}},
        {"action": "meena", "features": {"load": 0, "distance_km": 1, "free_capacity": 90, "on_shift": false}},
    ]);
    let people = json!([
        {"action": "asha", "features": {"open_tasks": 2, "has_skill": true}},
        {"action": "ravi", "features": {"open_tasks": 0, "has_skill": false, "away": true}},
    ]);
    for (kind, context, candidates) in [
        ("order_approval", json!({"total": 500}), json!([])),
        ("lead_score", json!({"budget": 500}), json!([])),
        ("lead_follow_up", json!({"budget": 500, "has_phone": true}), json!([])),
        ("event_score", json!({"rl_score": 0.5}), json!([])),
        ("courier_choice", json!({"weight": 20}), couriers),
        ("task_assignment", json!({"priority": "high"}), people),
        ("general", json!({}), json!(["a", "b"])),
    ] {
        let new = json!({"query": "Which?", "kind": kind, "context": context, "candidates": candidates});
        let made = app.post("/rl/decisions", new).await.expect(201);
        let sum: f64 = judged(&made, "propensity").iter().map(|(_, propensity)| propensity).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{made}");
        let masked: Vec<_> =
            made["masked"].as_array().unwrap().iter().map(|mask| mask["rule"].clone()).collect();
        let expected = match kind {
            "courier_choice" => json!(["room-for-it", "on-shift"]),
            "task_assignment" => json!(["present"]),
            _ => json!([]),
        };
        assert_eq!(json!(masked), expected, "{kind}");
        reward_whole(&app, kind, &made).await;
        learned(&app, kind, 1).await;
    }
}

async fn reward_whole(app: &TestApp, kind: &str, made: &Value) {
    let outcome = match kind {
        "courier_choice" | "task_assignment" => json!({"parts": {"success": 1, "time": 0.5}}),
        _ => json!({"reward": 0.8}),
    };
    let after = app.post(&format!("{}/outcome", crate::path(made)), outcome).await.expect(200);
    assert!((after["reward"].as_f64().unwrap() - 0.8).abs() < 1e-9, "{after}");
}
