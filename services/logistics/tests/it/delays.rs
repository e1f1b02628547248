use bhiv_events::logistics::DeliveryDelayed;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use logistics::{Config, Logistics};
use serde_json::json;

use crate::{delivery, move_delivery, move_order, order, path};

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_arrived_in_time_is_late_and_that_is_told_once() {
    let quick = || Config { delay_check_ms: 20, ..Config::default() };
    let app = TestApp::start::<Logistics>(quick()).await;
    let other = TestApp::replica_of::<Logistics>(&app, |_| quick());
    let mut deliveries = Vec::new();
    for _ in 0..3 {
        let order = order(&app).await;
        move_order(&app, &order, "approved").await;
        deliveries.push(delivery(&app, &order).await);
    }
    let [arrived, under_way, scheduled] = deliveries.as_slice() else { unreachable!() };
    for delivery in [arrived, under_way] {
        move_delivery(&app, delivery, "in_transit").await;
    }
    move_delivery(&app, arrived, "delivered").await;
    // The first of February, wherever that is, is over.
    for replica in [&app, &other] {
        replica.clock.advance(TimeDelta::days(18));
    }
    let told = async || app.recorded_as::<DeliveryDelayed>().await;
    app.eventually(async || (told().await.len() == 2).then_some(())).await;
    let late = app.get(&path("delivery", under_way)).await.expect(200);
    assert_eq!(
        (&late["status"], &late["status_reason"]),
        (&json!("delayed"), &json!("promised for 2027-02-01"))
    );
    let ids: Vec<_> = told().await.iter().map(|event| json!(event.delivery_id)).collect();
    assert!(ids.contains(&under_way["id"]) && ids.contains(&scheduled["id"]));
    // Nobody finds it again, however often it is looked.
    move_delivery(&app, under_way, "delivered").await;
    let history = app.get(&format!("{}/history", path("delivery", under_way))).await.expect(200);
    assert_eq!(history["total"], 4);
    assert_eq!(told().await.len(), 2);
}
