//! What is learned lasts: it is kept with the policy, and the next decision is made with it.

use bhiv_testing::TestApp;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};

use crate::{app, path, policy};

/// Decides a road by the weather and tells how it went: a road is good when it is the one for the weather.
async fn drive(app: &TestApp, weather: &str) -> (Value, f64) {
    let new = json!({"query": "Which road?", "context": {"weather": weather}, "candidates": ["high", "low"]});
    let made = app.post("/rl/decisions", new).await.expect(201);
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
        let (made, reward) = drive(&app, weather).await;
        assert_eq!(made["policy_version"], round + 1);
        earned.push(reward);
    }
    let late: f64 = earned.iter().skip(30).sum();
    assert!(late >= 26.0, "nearly every late decision is right: {earned:?}");

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
    assert_eq!(policy(&app, "general").await["observations"], 62);
    assert_eq!(policy(&app, "order_approval").await["observations"], 0, "each kind learns for itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn confidence_grows() {
    let app = app().await;
    let (first, _) = drive(&app, "rain").await;
    for _ in 0..15 {
        drive(&app, "rain").await;
    }
    let (last, _) = drive(&app, "rain").await;
    let confidence = |made: &Value| made["confidence"].as_f64().unwrap();
    assert!(confidence(&last) > confidence(&first) + 0.2, "{} {}", confidence(&first), confidence(&last));
}

/// What is kept with a policy follows from its decisions: where it is missing, as after a version that did not keep it,
/// it is computed from them, bit for bit.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_is_computed_anew_from_the_decisions() {
    let app = app().await;
    for round in 0..9 {
        drive(&app, if round % 2 == 0 { "rain" } else { "sun" }).await;
    }
    let ask = async || {
        let new =
            json!({"query": "Which road?", "context": {"weather": "rain"}, "candidates": ["high", "low"]});
        let made = app.post("/rl/decisions", new).await.expect(201);
        let mut scores = vec![(made["decision"].clone(), made["score"].clone())];
        let others = made["alternatives"].as_array().unwrap();
        scores.extend(others.iter().map(|other| (other["action"].clone(), other["score"].clone())));
        scores.sort_by_key(|(action, _)| action.to_string());
        (scores, made["confidence"].clone(), made["policy_version"].clone())
    };
    let kept = ask().await;
    let mut conn = app.database.connect().await;
    let forgotten = diesel::sql_query("UPDATE policies SET statistics = NULL WHERE kind = 'general'");
    assert_eq!(forgotten.execute(&mut conn).await.unwrap(), 1);
    assert_eq!(ask().await, kept);
    drive(&app, "rain").await;
    assert_eq!(policy(&app, "general").await["observations"], 10, "and is gone on from");
}
