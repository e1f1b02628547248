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

/// Who promises ten to twelve is late at twelve, by the clocks of where it goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_promise_ends_with_its_window() {
    let app = TestApp::start::<Logistics>(Config { delay_check_ms: 20, ..Config::default() }).await;
    let promised = async |more: serde_json::Value| {
        let order = order(&app).await;
        move_order(&app, &order, "approved").await;
        let mut new =
            json!({"order_id": order["id"], "delivery_date": "2027-01-15", "address": "1 Station Road"});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("/logistics/delivery", new).await.expect(201)
    };
    // It is 08:00 UTC, 13:30 in India.
    let (noon, evening) = (json!({"from": "10:00", "to": "12:00"}), json!({"from": "17:00", "to": "19:00"}));
    let over = promised(json!({"window": noon, "timezone": "Asia/Kolkata"})).await;
    let later = promised(json!({"window": evening, "timezone": "Asia/Kolkata"})).await;
    let anywhere = promised(json!({"window": noon})).await;
    assert_eq!(later["promised_until"], "2027-01-15T13:30:00Z");
    assert_eq!(anywhere["promised_until"], "2027-01-16T00:00:00Z");
    let is_late = async |delivery: &serde_json::Value| {
        let now = app.get(&path("delivery", delivery)).await.expect(200);
        (now["status"] == "delayed").then_some(now["status_reason"].clone())
    };
    let reason = app.eventually(async || is_late(&over).await).await;
    assert_eq!(reason, "promised for 2027-01-15, 10:00 to 12:00");
    assert_eq!((is_late(&later).await, is_late(&anywhere).await), (None, None));
    let moved = app.patch(&path("delivery", &later), json!({"window": null})).await.expect(200);
    assert_eq!(moved["promised_until"], "2027-01-15T18:30:00Z");
    app.clock.advance(TimeDelta::hours(11));
    app.eventually(async || is_late(&later).await).await;
    assert_eq!(is_late(&anywhere).await, None);
    let bad = json!({"timezone": "Mars/Olympus"});
    let refused = app.patch(&path("delivery", &anywhere), bad).await;
    assert_eq!(refused.expect_problem(422, "invalid_input")["errors"][0]["pointer"], "/timezone");
}
