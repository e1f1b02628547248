//! What other policies would have earned, whether the world has changed, how a policy learned.

use bhiv_testing::TestApp;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};

use crate::{app, learned, reward};

fn target<'a>(evaluation: &'a Value, policy: &str) -> &'a Value {
    let policies = evaluation["policies"].as_array().unwrap();
    policies.iter().find(|target| target["policy"] == policy).unwrap()
}

async fn doors(app: &TestApp) {
    let kind = json!({"kind": "door", "says": "Which door", "actions": ["left", "right"],
                      "settings": {"apprentice_floor": 1.0, "baseline": "first"}});
    app.post("/rl/policies", kind).await.expect(201);
}

/// Left earns 0.2, right 0.7: known of decisions that went to both alike.
#[tokio::test(flavor = "multi_thread")]
async fn what_other_policies_would_have_earned_is_estimated() {
    let app = app().await;
    doors(&app).await;
    for round in 0..160 {
        let new = json!({"query": "Which?", "kind": "door", "context": {}});
        let made = app.post("/rl/decisions", new).await.expect(201);
        let worth = if made["decision"] == "right" { 0.7 } else { 0.2 };
        reward(&app, &made, worth + if round % 2 == 0 { 0.1 } else { -0.1 }).await;
    }
    learned(&app, "door", 160).await;
    let evaluation = app.get("/rl/evaluation?kind=door").await.expect(200);
    assert_eq!(evaluation["decisions"], 160);
    for (policy, worth) in [("baseline", 0.2), ("always:left", 0.2), ("always:right", 0.7)] {
        let target = target(&evaluation, policy);
        for estimate in ["ips", "snips", "dr"] {
            let [value, lower, upper] =
                ["value", "lower", "upper"].map(|end| target[estimate][end].as_f64().unwrap());
            assert!(lower < value && value < upper, "{target}");
            // Within twice its interval: wrong in 1 of 10,000 runs.
            assert!((value - worth).abs() < 2.0 * (upper - value), "{policy} {target}");
        }
        assert!((target["snips"]["value"].as_f64().unwrap() - worth).abs() < 0.06, "{policy} {target}");
    }
    assert!(target(&evaluation, "learner")["dr"]["value"].as_f64().unwrap() > 0.3);
    let uplift = &evaluation["uplift"];
    assert_eq!(
        (&uplift["decisions"], &uplift["alpha"], &uplift["since_version"]),
        (&json!(160), &json!(0.05), &json!(1))
    );
    let (lower, upper) = (uplift["lower"].as_f64().unwrap(), uplift["upper"].as_f64().unwrap());
    assert!(lower < upper && (-1.0..=1.0).contains(&lower) && (-1.0..=1.0).contains(&upper));
    let since = app.get("/rl/evaluation?kind=door&since=2030-01-01T00:00:00Z").await.expect(200);
    assert_eq!(
        (&since["decisions"], &since["mean_reward"], &since["policies"]),
        (&json!(0), &json!(null), &json!([]))
    );
    app.get("/rl/evaluation?kind=nothing").await.expect_problem(422, "unknown_kind");
    app.get("/rl/evaluation").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rewards_and_of_situations_is_named() {
    let app = app().await;
    doors(&app).await;
    // Decisions as they would have been made over time; through HTTP they would take minutes.
    let mut conn = app.database.connect().await;
    let fill = async |conn: &mut diesel_async::AsyncPgConnection,
                      from: i32,
                      to: i32,
                      reward: &str,
                      zone: &str| {
        let statement = format!(
            "INSERT INTO decisions (id, version, correlation_id, kind, query, context, candidates, action, propensity,
                 score, confidence, reasoning, policy_version, feature_indexes, feature_values, feature_prior, reward,
                 rewarded_at, actor, created_at, closes_at, closed_at, learned_in)
             SELECT gen_random_uuid(), 1, gen_random_uuid(), 'door', 'x',
                 jsonb_build_object('zone', {zone}, 'hour', n % 24), '[]', 'left', 0.5, 0.5, 0.5, 'x', 1, '{{}}', '{{}}',
                 0, {reward}, now() + n * interval '1 second', 'user/x', now(), now(), now(), 0
             FROM generate_series({from}, {to}) AS n"
        );
        diesel::sql_query(statement).execute(conn).await.unwrap();
    };
    fill(
        &mut conn,
        1,
        900,
        "CASE n % 2 WHEN 0 THEN 0.3 ELSE 0.7 END",
        "CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END",
    )
    .await;
    let drift = app.get("/rl/policies/door/drift?recent=150").await.expect(200);
    assert_eq!(
        (&drift["lately"], &drift["before"], &drift["drifted"]),
        (&json!(150), &json!(600), &json!(false))
    );
    fill(&mut conn, 901, 1050, "CASE n % 2 WHEN 0 THEN 0.1 ELSE 0.4 END", "'east'").await;
    let drift = app.get("/rl/policies/door/drift?recent=150").await.expect(200);
    let drifted: Vec<_> = drift["compared"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["drifted"] == true)
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(drift["drifted"], true);
    assert_eq!(drifted[..2], ["reward", "surprise"]);
    let mut facts = drifted[2..].to_vec();
    facts.sort_unstable();
    assert_eq!(facts, ["zone=east", "zone=north", "zone=south"], "and the hour is as it was");
    let few = app.get("/rl/policies/general/drift").await.expect(200);
    assert_eq!((&few["compared"], &few["drifted"]), (&json!([]), &json!(false)));
    app.get("/rl/policies/nothing/drift").await.expect_problem(404, "not_found");
    app.get("/rl/policies/door/drift?recent=3").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_curve_says_how_a_policy_learned() {
    let app = app().await;
    doors(&app).await;
    for round in 1..=12 {
        let new = json!({"query": "Which?", "kind": "door", "context": {}});
        let made = app.post("/rl/decisions", new).await.expect(201);
        reward(&app, &made, 0.25).await;
        learned(&app, "door", round).await;
    }
    let curve = app.get("/rl/policies/door/curve").await.expect(200);
    let points = curve["points"].as_array().unwrap();
    assert_eq!(
        (points.len(), &points[0]["cause"], &points[12]["cause"]),
        (13, &json!("created"), &json!("learned"))
    );
    assert_eq!((&points[12]["observations"], &points[12]["mean_reward"]), (&json!(12), &json!(0.25)));
    assert!(points[12]["squared_error"].as_f64() < points[1]["squared_error"].as_f64(), "it predicts better");
    let few = app.get("/rl/policies/door/curve?points=4").await.expect(200);
    let few = few["points"].as_array().unwrap();
    assert!((3..=4).contains(&few.len()) && few.last() == points.last(), "{few:?}");
    app.get("/rl/policies/nothing/curve").await.expect_problem(404, "not_found");
}
