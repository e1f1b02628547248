use bhiv_auth::Role;
use bhiv_events::logistics::OrderCreated;
use bhiv_events::rl::DecisionMade;
use bhiv_events::{Contract as _, Event};
use bhiv_testing::TestApp;
use serde_json::json;

use crate::{app, decision, path};

const ORDER: &str = "0190aaaa-0000-7000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_decided_with_its_event_and_its_audit_row() {
    let app = app().await;
    let context = json!({"order_id": ORDER, "total": 25000, "priority": "urgent", "tags": ["fragile"]});
    let new = json!({"query": "Approve this order?", "context": context});
    let answer = app.post("/rl/decisions", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let made = answer.expect(201);
    assert_eq!(location, path(&made));
    assert_eq!(app.get(&location).await.expect(200), made);
    assert_eq!(made["kind"], "order_approval");
    assert_eq!(made["reference"], format!("order/{ORDER}"));
    assert_eq!(made["context"], context);
    assert_eq!(made["query"], "Approve this order?");
    assert_eq!(
        (&made["policy_version"], &made["version"], &made["reward"]),
        (&json!(1), &json!(1), &json!(null))
    );
    assert_eq!(made["actor"], "user/admin-1");

    // The prior alone speaks: 0.5 + 0.2 to approve, 0.5 - 0.1 to hold, 0.5 + 0.3 to expedite what is
    // urgent.
    let mut judged: Vec<_> = made["alternatives"].as_array().unwrap().clone();
    judged
        .push(json!({"action": made["decision"], "score": made["score"], "propensity": made["propensity"]}));
    for (action, score) in [("approve", 0.7), ("hold", 0.4), ("expedite", 0.8)] {
        let found = judged.iter().find(|candidate| candidate["action"] == action).unwrap();
        assert!((found["score"].as_f64().unwrap() - score).abs() < 1e-9, "{judged:?}");
    }
    let propensities: Vec<_> =
        judged.iter().map(|candidate| candidate["propensity"].as_f64().unwrap()).collect();
    assert_eq!(propensities.len(), 3);
    assert!((propensities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(propensities.iter().all(|propensity| *propensity > 0.0));
    let confidence = made["confidence"].as_f64().unwrap();
    assert!(confidence > 0.0 && confidence < 1.0);
    let reasoning = made["reasoning"].as_str().unwrap();
    assert!(reasoning.contains("the usual reward (+0.50)"), "{reasoning}");
    assert!(!reasoning.contains(ORDER), "which order it is says nothing about it: {reasoning}");

    let [event] = app.recorded_as::<DecisionMade>().await.try_into().unwrap();
    assert_eq!(json!(event.decision_id), made["decision_id"]);
    assert_eq!(json!(event.action), made["decision"]);
    assert_eq!(json!(event.propensity), made["propensity"]);
    assert_eq!((event.decision_kind.as_str(), event.model_version), ("order_approval", 1));
    assert_eq!(json!(event.reference), made["reference"]);
    assert_eq!(app.audited().await, ["decision.create"]);
    assert!(app.recorded().await.iter().all(|event| json!(event.correlationid) == made["correlation_id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_an_order_joins_its_story() {
    let app = app().await;
    let created = OrderCreated { order_id: ORDER.parse().unwrap(), ..OrderCreated::sample() };
    let story = Event { correlationid: uuid(7), ..app.event(&created) };
    app.deliver_twice(&story).await;
    let decide = |order: &str| json!({"query": "Approve?", "context": {"order_id": order}});
    let made = app.post("/rl/decisions", decide(ORDER)).await.expect(201);
    assert_eq!(made["correlation_id"], json!(uuid(7)));
    let other = "0190aaaa-0000-7000-8000-000000000002";
    let made = app.post("/rl/decisions", decide(other)).await.expect(201);
    assert_ne!(made["correlation_id"], json!(uuid(7)), "an order that nobody told of begins a story");

    let request = app
        .request(reqwest::Method::POST, "/rl/decisions")
        .bearer_auth(app.token(Role::Manager))
        .header("x-correlation-id", uuid(9).to_string())
        .json(&decide(ORDER));
    assert_eq!(TestApp::read(request).await.expect(201)["correlation_id"], json!(uuid(9)));
}

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_can_be_described() {
    let app = app().await;
    let new = json!({
        "query": "Which carrier?", "context": {"weight": 12.5}, "reference": "delivery/9",
        "candidates": ["by hand", {"action": "van", "features": {"cost": 40, "green": false}}],
    });
    let made = app.post("/rl/decisions", new).await.expect(201);
    assert_eq!((&made["kind"], &made["reference"]), (&json!("general"), &json!("delivery/9")));
    assert_eq!(made["alternatives"].as_array().unwrap().len(), 1);
    // Of two that nothing is known of, each has half a chance.
    assert_eq!((&made["score"], &made["propensity"]), (&json!(0.5), &json!(0.5)));

    let named = json!({"query": "Worth it?", "context": {}, "kind": "lead_score"});
    let made = app.post("/rl/decisions", named).await.expect(201);
    assert_eq!((&made["decision"], &made["propensity"]), (&json!("contact"), &json!(1.0)));
    assert_eq!((&made["alternatives"], &made["reference"]), (&json!([]), &json!(null)));
    assert_eq!(app.recorded_names().await, ["decision_made", "decision_made"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    for number in 1..=3 {
        let new = json!({"query": number.to_string(), "context": {}, "kind": "lead_score",
                         "reference": format!("lead/{number}")});
        app.post("/rl/decisions", new).await.expect(201);
    }
    let other = decision(&app).await;
    app.post(&format!("{}/outcome", path(&other)), json!({"reward": 1})).await.expect(200);
    let list = async |query: &str| {
        let page = app.get(&format!("/rl/decisions?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        let queries: Vec<_> = items.iter().map(|item| item["query"].as_str().unwrap().to_owned()).collect();
        (queries.join(","), page["total"].as_i64().unwrap(), page["next_cursor"].clone())
    };
    assert_eq!(list("kind=lead_score").await.0, "3,2,1");
    assert_eq!(list("reference=lead/2").await.0, "2");
    assert_eq!(list("reference=lead/3,lead/2,lead/9").await.0, "3,2");
    assert_eq!(list("action=contact&rewarded=false").await.0, "3,2,1");
    assert_eq!(list("rewarded=true").await.0, "Which way?");
    assert_eq!(list("action=fly").await, (String::new(), 0, json!(null)));

    let (first, total, cursor) = list("limit=3").await;
    assert_eq!((first.as_str(), total), ("Which way?,3,2", 4));
    let (rest, total, cursor) = list(&format!("limit=3&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((rest.as_str(), total, cursor), ("1", 4, json!(null)));
    app.get("/rl/decisions?rewarded=maybe").await.expect_problem(422, "invalid_input");
    app.get(&format!("/rl/decisions/{ORDER}")).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_permission() {
    let mut app = app().await;
    let made = decision(&app).await;
    let recorded = app.recorded().await.len();

    app.speak_as(Role::Viewer);
    app.get("/rl/decisions").await.expect(200);
    app.get("/rl/policies").await.expect(200);
    let new = json!({"query": "What?", "context": {}, "candidates": ["a"]});
    for (path, body) in
        [("/rl/decisions".to_owned(), new), (format!("{}/outcome", path(&made)), json!({"reward": 1}))]
    {
        let problem = app.post(&path, body).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "rl:write");
    }

    app.speak_as(Role::Support);
    for path in ["/rl/decisions", &path(&made), "/rl/policies", "/rl/analytics"] {
        let problem = app.get(path).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "rl:read");
    }
    assert_eq!(app.recorded().await.len(), recorded);
}
