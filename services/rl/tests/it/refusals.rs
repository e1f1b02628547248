//! Questions that are not decided.

use bhiv_auth::Role;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::app;

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decided_is_refused() {
    let app = app().await;
    let post = async |kind: Option<&str>, candidates: Value| {
        let new = json!({"query": "What?", "context": {}, "kind": kind, "candidates": candidates});
        app.post("/rl/decisions", new).await
    };
    let problem = post(None, json!([])).await.expect_problem(422, "no_candidates");
    assert_eq!(pointers(&problem), ["/candidates"]);
    post(None, json!(null)).await.expect_problem(422, "no_candidates");
    let problem = post(Some("weather"), json!(["rain"])).await.expect_problem(422, "unknown_kind");
    assert_eq!(
        problem["kinds"],
        json!([
            "courier_choice",
            "event_score",
            "general",
            "lead_follow_up",
            "lead_score",
            "order_approval",
            "task_assignment"
        ])
    );
    assert_eq!(pointers(&problem), ["/kind"]);
    let twice = json!(["a", "b", {"action": "a", "features": {"cost": 1}}]);
    let problem = post(None, twice).await.expect_problem(422, "invalid_input");
    assert_eq!(pointers(&problem), ["/candidates"]);
    assert_eq!(problem["errors"][0]["message"], "the action 'a' stands twice");
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_question_is_listed_at_once() {
    let app = app().await;
    let mut context = json!({"long": "x".repeat(201), "none": null, "deep": {"a": 1}, "mixed": ["a", 1]});
    let bad =
        json!({"query": "", "context": context, "candidates": [7, {"features": {}}, ""], "colour": "red"});
    let problem = app.post("/rl/decisions", bad).await.expect_problem(422, "invalid_input");
    let mut places = pointers(&problem);
    places.dedup();
    assert_eq!(
        places,
        [
            "/candidates/0",
            "/candidates/1",
            "/candidates/1/action",
            "/candidates/2",
            "/colour",
            "/context/deep",
            "/context/long",
            "/context/mixed/1",
            "/context/none",
            "/query"
        ]
    );
    context =
        (0..101).map(|number| (number.to_string(), json!(number))).collect::<serde_json::Map<_, _>>().into();
    let problem = app.post("/rl/decisions", json!({"query": "What?", "context": context})).await;
    assert_eq!(pointers(&problem.expect_problem(422, "invalid_input")), ["/context"]);
    let many: Vec<_> = (0..101).map(|number| number.to_string()).collect();
    let problem =
        app.post("/rl/decisions", json!({"query": "What?", "context": {}, "candidates": many})).await;
    assert_eq!(pointers(&problem.expect_problem(422, "invalid_input")), ["/candidates"]);

    let infinite = app
        .request(reqwest::Method::POST, "/rl/decisions")
        .bearer_auth(app.token(Role::Admin))
        .header("content-type", "application/json")
        .body(r#"{"query": "What?", "context": {"total": 1e999}, "candidates": ["a"]}"#);
    TestApp::read(infinite).await.expect_problem(400, "malformed_json");
    assert_eq!(app.recorded().await, []);
}
