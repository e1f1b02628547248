use bhiv_events::logistics::{DeliveryCompleted, DeliveryDelayed, OrderStatusChanged};
use serde_json::json;

use crate::{NOBODY, app, delivery, move_delivery, move_order, order, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_takes_its_order_along() {
    let app = app().await;
    let items = json!([{"sku": "A", "quantity": 1, "price": 1}]);
    let new = json!({"customer_id": "verma", "items": items, "opportunity_id": NOBODY});
    let order = app.post("/logistics/orders", new).await.expect(201);
    move_order(&app, &order, "approved").await;
    let delivery = delivery(&app, &order).await;

    move_delivery(&app, &delivery, "in_transit").await;
    let dispatched = app.get(&path("orders", &order)).await.expect(200);
    let reason = format!("delivery/{}", delivery["id"].as_str().unwrap());
    assert_eq!((&dispatched["status"], &dispatched["status_reason"]), (&json!("dispatched"), &json!(reason)));

    let late = json!({"status": "delayed", "reason": "flood"});
    let late = app.put(&format!("{}/status", path("delivery", &delivery)), late).await.expect(200);
    assert_eq!((&late["status"], &late["status_reason"]), (&json!("delayed"), &json!("flood")));
    move_delivery(&app, &delivery, "in_transit").await;
    assert_eq!(app.get(&path("orders", &order)).await.expect(200), dispatched, "it is dispatched already");

    let delivered = move_delivery(&app, &delivery, "delivered").await;
    assert_eq!((&delivered["status"], &delivered["version"]), (&json!("delivered"), &json!(5)));
    assert_eq!(app.get(&path("orders", &order)).await.expect(200)["status"], "delivered");

    assert_eq!(
        app.recorded_names().await,
        [
            "order_created",
            "order_status_changed",
            "delivery_scheduled",
            "order_status_changed",
            "delivery_dispatched",
            "delivery_delayed",
            "delivery_dispatched",
            "order_status_changed",
            "delivery_completed"
        ]
    );
    let [delayed] = app.recorded_as::<DeliveryDelayed>().await.try_into().unwrap();
    assert_eq!(delayed.reason.as_deref(), Some("flood"));
    let [completed] = app.recorded_as::<DeliveryCompleted>().await.try_into().unwrap();
    assert_eq!(json!(completed.opportunity_id), json!(NOBODY));
    assert_eq!(json!(completed.tracking_number), delivery["tracking_number"]);
    let moves = app.recorded_as::<OrderStatusChanged>().await;
    assert_eq!(
        moves.iter().map(|moved| moved.to.as_str()).collect::<Vec<_>>(),
        ["approved", "dispatched", "delivered"]
    );
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == order["correlation_id"]));
    assert_eq!(
        app.audited().await,
        [
            "order.create",
            "order.move",
            "delivery.create",
            "order.move",
            "delivery.move",
            "delivery.move",
            "delivery.move",
            "order.move",
            "delivery.move"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_leaves_its_order() {
    let app = app().await;
    let order = order(&app).await;
    let delivery = delivery(&app, &order).await;
    move_delivery(&app, &delivery, "failed").await;
    assert_eq!(app.get(&path("orders", &order)).await.expect(200), order);
    assert_eq!(app.recorded_names().await, ["order_created", "delivery_scheduled", "delivery_failed"]);
    let again = json!({"status": "in_transit"});
    let problem = app.put(&format!("{}/status", path("delivery", &delivery)), again).await;
    assert_eq!(problem.expect_problem(409, "illegal_transition")["allowed"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_stays_when_its_order_cannot_come_along() {
    let app = app().await;
    let order = order(&app).await;
    let delivery = delivery(&app, &order).await;
    let recorded = app.recorded().await;
    let status = format!("{}/status", path("delivery", &delivery));
    let problem = app.put(&status, json!({"status": "in_transit"})).await;
    let problem = problem.expect_problem(409, "illegal_transition");
    assert_eq!(problem["entity"], format!("order/{}", order["id"].as_str().unwrap()));
    assert_eq!(problem["allowed"], json!(["approved", "on_hold", "cancelled"]));
    assert_eq!(app.get(&path("delivery", &delivery)).await.expect(200), delivery);
    assert_eq!(app.recorded().await, recorded, "a refused change changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_delivery_of_an_order_arrives_too() {
    let app = app().await;
    let order = order(&app).await;
    move_order(&app, &order, "approved").await;
    let (first, second) = (delivery(&app, &order).await, delivery(&app, &order).await);
    for delivery in [&first, &second] {
        move_delivery(&app, delivery, "in_transit").await;
    }
    move_delivery(&app, &first, "delivered").await;
    move_delivery(&app, &second, "delivered").await;
    let order = app.get(&path("orders", &order)).await.expect(200);
    assert_eq!((&order["status"], &order["version"]), (&json!("delivered"), &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_cancelled_or_dispatched_but_not_both() {
    let app = app().await;
    for _ in 0..5 {
        let order = order(&app).await;
        move_order(&app, &order, "approved").await;
        let delivery = delivery(&app, &order).await;
        let (order_status, delivery_status) =
            (format!("{}/status", path("orders", &order)), format!("{}/status", path("delivery", &delivery)));
        let (cancelled, sent) = tokio::join!(
            app.put(&order_status, json!({"status": "cancelled"})),
            app.put(&delivery_status, json!({"status": "in_transit"})),
        );
        let left = app.get(&path("orders", &order)).await.expect(200);
        if cancelled.status == 200 {
            sent.expect_problem(409, "illegal_transition");
            assert_eq!(left["status"], "cancelled");
        } else {
            cancelled.expect_problem(409, "illegal_transition");
            sent.expect(200);
            assert_eq!(left["status"], "dispatched");
        }
    }
}
