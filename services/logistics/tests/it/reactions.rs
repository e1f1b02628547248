use bhiv_events::crm::OpportunityCreated;
use bhiv_events::logistics::OrderStatusChanged;
use bhiv_events::rl::DecisionMade;
use bhiv_events::{Contract as _, Event};
use bhiv_outbox::Outcome;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{NOBODY, app, move_order, order, path};

fn decided(app: &TestApp, reference: &str, action: &str) -> Event {
    app.event(&DecisionMade {
        reference: Some(reference.to_owned()),
        action: action.to_owned(),
        ..DecisionMade::sample()
    })
}

fn about(order: &Value) -> String {
    format!("order/{}", order["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_moves_a_pending_order() {
    let app = app().await;
    let reason = format!("decision/{}", DecisionMade::sample().decision_id);
    for (action, status, priority) in
        [("approve", "approved", "normal"), ("expedite", "approved", "urgent"), ("hold", "on_hold", "normal")]
    {
        let order = order(&app).await;
        let event = decided(&app, &about(&order), action);
        app.deliver_twice(&event).await;
        let after = app.get(&path("orders", &order)).await.expect(200);
        assert_eq!((&after["status"], &after["priority"]), (&json!(status), &json!(priority)));
        assert_eq!((&after["status_reason"], &after["version"]), (&json!(reason), &json!(2)));

        let moved = app.recorded_as::<OrderStatusChanged>().await.pop().unwrap();
        assert_eq!((moved.to.as_str(), moved.reason), (status, Some(reason.clone())));
        let recorded = app.recorded().await;
        let caused: Vec<_> =
            recorded.iter().filter(|recorded| recorded.causationid == Some(event.id)).collect();
        assert_eq!(caused.len(), 2, "the move and its audit row");
        assert!(caused.iter().all(|caused| caused.actor == "service/logistics"));
    }
    assert_eq!(app.audited().await.iter().filter(|action| *action == "order.move").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_anything_else_moves_nothing() {
    let app = app().await;
    let pending = order(&app).await;
    let held = move_order(&app, &order(&app).await, "on_hold").await;
    let recorded = app.recorded().await;
    for (reference, action) in [
        (about(&pending), "split"),
        (about(&held), "approve"),
        (format!("order/{NOBODY}"), "approve"),
        ("order/42".to_owned(), "approve"),
        (format!("lead/{}", pending["id"].as_str().unwrap()), "approve"),
    ] {
        app.deliver_twice(&decided(&app, &reference, action)).await;
    }
    let aimless = app.event(&DecisionMade { reference: None, ..DecisionMade::sample() });
    assert_eq!(app.deliver(&aimless).await, [Outcome::Done]);
    assert_eq!(app.recorded().await, recorded);
    assert_eq!(app.get(&path("orders", &held)).await.expect(200), held);
    assert_eq!(app.get(&path("orders", &pending)).await.expect(200), pending);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_joins_the_story_of_its_opportunity() {
    let app = app().await;
    let opened = OpportunityCreated::sample();
    let event = app.event(&opened);
    app.deliver_twice(&event).await;
    let items = json!([{"sku": "A", "quantity": 1, "price": 1}]);
    let place = async |opportunity_id: Value| {
        let new = json!({"customer_id": "verma", "items": items, "opportunity_id": opportunity_id});
        app.post("/logistics/orders", new).await.expect(201)["correlation_id"].clone()
    };
    assert_eq!(place(json!(opened.opportunity_id)).await, json!(event.correlationid));
    assert_ne!(place(json!(NOBODY)).await, json!(event.correlationid), "nobody heard of that one");
    assert_ne!(place(Value::Null).await, json!(event.correlationid));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_shape_is_a_dead_letter() {
    let app = app().await;
    let mut event = app.event(&DecisionMade::sample());
    event.data = json!({"decision_id": 7});
    let outcomes = app.deliver(&event).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Dead(_)]), "{outcomes:?}");
}
