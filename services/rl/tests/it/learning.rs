//! What is learned lasts: it is kept with the policy, and the next decision is made with it.

use bhiv_testing::TestApp;
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
