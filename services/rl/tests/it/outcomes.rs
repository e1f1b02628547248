use bhiv_events::rl::OutcomeRecorded;
use serde_json::{Value, json};

use crate::{app, decision, path, policy};

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_recorded_and_learned_from_once() {
    let app = app().await;
    let made = decision(&app).await;
    let outcome = format!("{}/outcome", path(&made));
    let told = json!({"reward": 0.9, "comment": "It was the shorter way"});
    let after = app.post(&outcome, told).await.expect(200);
    assert_eq!((&after["reward"], &after["version"]), (&json!(0.9), &json!(2)));
    assert_eq!(after["comment"], "It was the shorter way");
    assert!(after["rewarded_at"].is_string());
    assert_eq!(after["score"], made["score"], "what was predicted stays what was predicted");
    assert_eq!(app.get(&path(&made)).await.expect(200), after);

    let [event] = app.recorded_as::<OutcomeRecorded>().await.try_into().unwrap();
    assert_eq!(json!(event.decision_id), made["decision_id"]);
    assert_eq!((event.reward, event.model_version), (0.9, 1), "the version that decided");
    let learned = crate::learned(&app, "general", 1).await;
    assert_eq!(learned["version"], 2);
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == made["correlation_id"]));
    let sequences: Vec<_> = recorded
        .iter()
        .filter(|event| event.name() != "audit_recorded")
        .map(|event| event.sequence)
        .collect();
    assert_eq!(sequences, [1, 2]);
    assert_eq!(app.audited().await, ["decision.create", "decision.outcome"]);

    app.post(&outcome, json!({"reward": 0.1})).await.expect_problem(409, "outcome_exists");
    assert_eq!(app.get(&path(&made)).await.expect(200), after);
    assert_eq!(policy(&app, "general").await["observations"], 1);
    assert_eq!(app.recorded().await.len(), recorded.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_outcome_is_refused() {
    let app = app().await;
    let made = decision(&app).await;
    let outcome = format!("{}/outcome", path(&made));
    for reward in [json!(1.1), json!(-0.1), json!("good"), json!(null)] {
        let problem =
            app.post(&outcome, json!({"reward": reward})).await.expect_problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/reward");
    }
    app.post(&outcome, json!({})).await.expect_problem(422, "invalid_input");
    let nothing = "/rl/decisions/0190aaaa-0000-7000-8000-000000000001/outcome";
    app.post(nothing, json!({"reward": 1})).await.expect_problem(404, "not_found");
    assert_eq!(policy(&app, "general").await["observations"], 0);
    assert_eq!(app.recorded_names().await, ["decision_made"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_that_come_together_are_all_learned() {
    let app = app().await;
    let mut decisions = Vec::new();
    for _ in 0..6 {
        decisions.push(path(&decision(&app).await));
    }
    // Each outcome is told twice at once: one of the two is too late.
    let tell = async |path: &String| {
        app.post(&format!("{path}/outcome"), json!({"reward": 1})).await.status.as_u16()
    };
    let [a, b, c, d, e, f] = <[String; 6]>::try_from(decisions).unwrap();
    let told = tokio::join!(
        async { tokio::join!(tell(&a), tell(&b), tell(&c), tell(&d), tell(&e), tell(&f)) },
        async { tokio::join!(tell(&f), tell(&e), tell(&d), tell(&c), tell(&b), tell(&a)) },
    );
    let (one, two) = told;
    let mut statuses: Vec<u16> = [one.0, one.1, one.2, one.3, one.4, one.5].to_vec();
    statuses.extend([two.0, two.1, two.2, two.3, two.4, two.5]);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 409, 409, 409, 409, 409, 409]);
    let learned = crate::learned(&app, "general", 6).await;
    assert!(learned["version"].as_i64().unwrap() <= 7, "some may have been learned together: {learned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_is_counted() {
    let app = app().await;
    let empty = app.get("/rl/analytics").await.expect(200);
    assert_eq!(empty["kinds"].as_array().unwrap().len(), 7);
    assert_eq!(
        empty["kinds"][2],
        json!({"kind": "general", "decisions": 0, "outcomes": 0, "mean_reward": null,
                                         "actions": []})
    );
    for (action, reward) in [("left", Some(1.0)), ("left", Some(0.5)), ("left", None), ("right", Some(0.0))] {
        let new = json!({"query": "Which way?", "context": {}, "candidates": [action]});
        let made = app.post("/rl/decisions", new).await.expect(201);
        if let Some(reward) = reward {
            app.post(&format!("{}/outcome", path(&made)), json!({"reward": reward})).await.expect(200);
        }
    }
    let analytics = app.get("/rl/analytics").await.expect(200);
    let general: &Value = &analytics["kinds"][2];
    assert_eq!(
        general,
        &json!({"kind": "general", "decisions": 4, "outcomes": 3, "mean_reward": 0.5, "actions": [
            {"action": "left", "count": 3, "outcomes": 2, "mean_reward": 0.75},
            {"action": "right", "count": 1, "outcomes": 1, "mean_reward": 0.0},
        ]})
    );
    let policy = crate::learned(&app, "general", 3).await;
    assert_eq!((&policy["mean_reward"], &policy["actions"]), (&json!(0.5), &json!([])));
    assert_eq!(
        crate::policy(&app, "order_approval").await["actions"],
        json!(["approve", "hold", "expedite"])
    );
}
