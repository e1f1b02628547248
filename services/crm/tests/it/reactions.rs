use bhiv_events::Contract as _;
use bhiv_events::logistics::{DeliveryCompleted, DeliveryDelayed, OrderCreated, OrderStatusChanged};
use bhiv_events::rl::LeadScored;
use bhiv_events::task::{FeedbackReceived, TaskCompleted};
use bhiv_outbox::Outcome;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, lead, opportunity};

fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_arrives() {
    let app = app().await;
    let lead = lead(&app).await;
    let scored = |score| LeadScored { lead_id: id(&lead), score, ..LeadScored::sample() };
    let mut newer = app.event(&scored(0.7));
    newer.sequence = 2;
    app.deliver_twice(&newer).await;

    let mut older = app.event(&scored(0.1));
    older.sequence = 1;
    assert_eq!(app.deliver(&older).await, [Outcome::Stale]);
    let path = format!("/crm/leads/{}", id(&lead));
    assert_eq!(app.get(&path).await.expect(200)["score"], 0.7);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_an_opportunity_opens_its_customers_account() {
    let app = app().await;
    let order = |order_id: u128| OrderCreated {
        order_id: Uuid::from_u128(order_id),
        opportunity_id: None,
        customer_id: "c-9".to_owned(),
        ..OrderCreated::sample()
    };
    app.deliver_twice(&app.event(&order(1))).await;
    app.deliver_twice(&app.event(&order(2))).await;
    let page = app.get("/crm/accounts?q=c-9").await.expect(200);
    assert_eq!(page["total"], 1, "the second order finds the account of the first");
    let account = &page["items"][0];
    let activities = app.get(&format!("/crm/activities?entity=account/{}", id(account))).await.expect(200);
    assert_eq!(activities["total"], 2);
    assert_eq!(activities["items"][0]["kind"], "order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_wins_the_opportunity_once() {
    let app = app().await;
    let opportunity = opportunity(&app).await;
    let delivered =
        DeliveryCompleted { opportunity_id: Some(id(&opportunity)), ..DeliveryCompleted::sample() };
    app.deliver_twice(&app.event(&delivered)).await;
    // A second delivery of the same order finds it won already.
    app.deliver_twice(&app.event(&delivered)).await;
    let path = format!("/crm/opportunities/{}", id(&opportunity));
    assert_eq!(app.get(&path).await.expect(200)["stage"], "won");
    let names = app.recorded_names().await;
    assert_eq!(names.iter().filter(|name| *name == "opportunity_won").count(), 1);

    let nobodys = DeliveryCompleted { opportunity_id: Some(Uuid::from_u128(5)), ..delivered };
    assert_eq!(app.deliver(&app.event(&nobodys)).await, [Outcome::Done]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_is_noted_where_it_belongs() {
    let app = app().await;
    let task =
        |reference: &str| TaskCompleted { reference: Some(reference.to_owned()), ..TaskCompleted::sample() };
    let opportunity = format!("opportunity/{}", Uuid::from_u128(1));
    app.deliver_twice(&app.event(&task(&opportunity))).await;
    app.deliver_twice(&app.event(&task(&format!("order/{}", Uuid::from_u128(1))))).await;
    assert_eq!(app.get(&format!("/crm/activities?entity={opportunity}")).await.expect(200)["total"], 1);
    assert_eq!(app.get("/crm/activities").await.expect(200)["total"], 1, "and of what is not ours, nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_shape_is_a_dead_letter() {
    let app = app().await;
    let mut event = app.event(&LeadScored::sample());
    event.data = json!({"lead_id": 7});
    let outcomes = app.deliver(&event).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Dead(_)]), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_an_order_are_noted_at_what_it_belongs_to_even_when_they_come_first() {
    let app = app().await;
    let opportunity = opportunity(&app).await;
    let order_id = Uuid::from_u128(77);
    let moved = OrderStatusChanged { order_id, ..OrderStatusChanged::sample() };
    app.deliver_twice(&app.event(&moved)).await;
    let entity = format!("/crm/activities?entity=opportunity/{}", id(&opportunity));
    assert_eq!(app.get(&entity).await.expect(200)["total"], 0);

    let opportunity_id = Some(id(&opportunity));
    let order = OrderCreated { order_id, opportunity_id, ..OrderCreated::sample() };
    app.deliver_twice(&app.event(&order)).await;
    let late = DeliveryDelayed { order_id, ..DeliveryDelayed::sample() };
    app.deliver_twice(&app.event(&late)).await;
    let feedback = FeedbackReceived { order_id, ..FeedbackReceived::sample() };
    app.deliver_twice(&app.event(&feedback)).await;
    let page = app.get(&format!("{entity}&sort=created_at")).await.expect(200);
    let kinds: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["order", "order", "delivery", "feedback"]);
}
