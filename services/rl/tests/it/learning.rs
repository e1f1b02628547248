//! What is learned lasts: it is kept with the policy, and the next decision is made with it.

use bhiv_testing::TestApp;
use diesel_async::RunQueryDsl as _;
use rl::Rl;
use serde_json::{Value, json};

use crate::{app, decided_with, judged, learned, path, policy, quick};

fn road(weather: &str) -> Value {
    json!({"query": "Which road?", "context": {"weather": weather}, "candidates": ["high", "low"]})
}

/// Decides a road by the weather and tells how it went: a road is good when it is the one for the weather.
async fn drive(app: &TestApp, weather: &str) -> (Value, f64) {
    let made = app.post("/rl/decisions", road(weather)).await.expect(201);
    let right = if weather == "rain" { "high" } else { "low" };
    let reward = if made["decision"] == right { 1.0 } else { 0.0 };
    app.post(&format!("{}/outcome", path(&made)), json!({"reward": reward})).await.expect(200);
    (made, reward)
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_get_better_with_outcomes() {
    let app = app().await;
    let mut earned = Vec::new();
    for round in 0..60 {
        let weather = if round % 3 == 0 { "rain" } else { "sun" };
        let (_, reward) = drive(&app, weather).await;
        earned.push(reward);
        learned(&app, "general", round + 1).await;
    }
    let late: f64 = earned.iter().skip(30).sum();
    assert!(late >= 24.0, "nearly every late decision is right: {earned:?}");

    for (weather, right) in [("rain", "high"), ("sun", "low")] {
        let (made, _) = drive(&app, weather).await;
        let scores: Vec<_> = std::iter::once(json!({"action": made["decision"], "score": made["score"]}))
            .chain(made["alternatives"].as_array().unwrap().clone())
            .collect();
        let best = scores
            .iter()
            .max_by(|one, other| one["score"].as_f64().unwrap().total_cmp(&other["score"].as_f64().unwrap()))
            .unwrap();
        assert_eq!(best["action"], right);
        assert!(made["reasoning"].as_str().unwrap().contains(&format!("weather={weather}")), "{made:#}");
    }
    learned(&app, "general", 62).await;
    assert_eq!(policy(&app, "order_approval").await["observations"], 0, "each kind learns for itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn confidence_grows() {
    let app = app().await;
    let (first, _) = drive(&app, "rain").await;
    for _ in 0..15 {
        drive(&app, "rain").await;
    }
    let policy = learned(&app, "general", 16).await;
    let last = decided_with(&app, &road("rain"), &policy["version"]).await;
    let confidence = |made: &Value| made["confidence"].as_f64().unwrap();
    assert!(confidence(&last) > confidence(&first) + 0.2, "{} {}", confidence(&first), confidence(&last));
}

/// What is kept with a policy follows from its decisions: where it is missing, as after a version that did not keep it,
/// it is computed from them, bit for bit.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_is_computed_anew_from_the_decisions() {
    for (kind, candidates) in [("general", json!(["high", "low"])), ("lead_follow_up", json!([]))] {
        let app = app().await;
        let ask = |weather: &str, budget: u32| {
            json!({"query": "Which?", "kind": kind, "context": {"weather": weather, "budget": budget},
                   "candidates": candidates})
        };
        for round in 0..9 {
            let weather = if round % 2 == 0 { "rain" } else { "sun" };
            let made = app.post("/rl/decisions", ask(weather, 100 * round)).await.expect(201);
            crate::reward(&app, &made, f64::from(round) / 9.0).await;
        }
        let policy = learned(&app, kind, 9).await;
        let kept = decided_with(&app, &ask("rain", 250), &policy["version"]).await;
        let mut conn = app.database.connect().await;
        let forgotten = diesel::sql_query("UPDATE policies SET statistics = NULL WHERE observations > 0");
        assert_eq!(forgotten.execute(&mut conn).await.unwrap(), 1);
        // One that has nothing in memory yet.
        let other = TestApp::replica_of::<Rl>(&app, |_| quick());
        let anew = other.post("/rl/decisions", ask("rain", 250)).await.expect(201);
        assert_eq!(judged(&anew, "score"), judged(&kept, "score"), "{kind}");
        assert_eq!(anew["policy_version"], kept["policy_version"]);
        crate::reward(&other, &anew, 1.0).await;
        let after = learned(&app, kind, 10).await;
        assert!(after["version"].as_i64() > policy["version"].as_i64(), "and is gone on from");
    }
}

/// Outcomes that are told at whichever replica are learned once, by one of them, and all decide with what it learned.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_learn_once_and_follow() {
    let one = app().await;
    let other = TestApp::replica_of::<Rl>(&one, |_| quick());
    let replicas = [&one, &other];
    for round in 0..24 {
        let app = replicas[round % 2];
        let made = app.post("/rl/decisions", road("rain")).await.expect(201);
        let reward = if made["decision"] == "high" { 1.0 } else { 0.0 };
        crate::reward(replicas[(round + 1) % 2], &made, reward).await;
    }
    let policy = learned(&one, "general", 24).await;
    let [here, there] = [
        decided_with(&one, &road("rain"), &policy["version"]).await,
        decided_with(&other, &road("rain"), &policy["version"]).await,
    ];
    assert_eq!(judged(&here, "score"), judged(&there, "score"));
    assert!(judged(&here, "score")[0].1 > 0.7, "{here}");
    let curve = one.get("/rl/policies/general/curve").await.expect(200);
    let learned: i64 =
        curve["points"].as_array().unwrap().iter().map(|point| point["outcomes"].as_i64().unwrap()).sum();
    assert_eq!(learned, 24, "each once");
}
