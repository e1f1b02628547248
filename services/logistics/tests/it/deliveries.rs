use bhiv_events::logistics::DeliveryScheduled;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{NOBODY, app, delivery, move_delivery, move_order, order, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_scheduled_with_its_event_and_its_audit_row() {
    let app = app().await;
    let order = order(&app).await;
    let new = json!({
        "order_id": order["id"], "delivery_date": "2027-02-01", "address": "1 Station Road, Jaipur",
        "priority": "high", "special_instructions": "Ring twice", "window": {"from": "09:30", "to": "12:00"},
        "location": {"lat": 26.9124, "lon": 75.7873},
    });
    let answer = app.post("/logistics/delivery", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let scheduled = answer.expect(201);
    assert_eq!(location, path("delivery", &scheduled));
    assert_eq!((&scheduled["status"], &scheduled["priority"]), (&json!("scheduled"), &json!("high")));
    assert_eq!(scheduled["window"], json!({"from": "09:30:00", "to": "12:00:00"}));
    assert_eq!(scheduled["location"], json!({"lat": 26.9124, "lon": 75.7873}));
    assert_eq!(scheduled["correlation_id"], order["correlation_id"]);
    assert_eq!(app.get(&location).await.expect(200), scheduled);

    let [event] = app.recorded_as::<DeliveryScheduled>().await.try_into().unwrap();
    assert_eq!(json!(event.tracking_number), scheduled["tracking_number"]);
    assert_eq!((event.delivery_date.to_string().as_str(), event.priority.as_str()), ("2027-02-01", "high"));
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == order["correlation_id"]));
    assert!(!recorded[2].data.to_string().contains("Jaipur"), "events carry no addresses");
    assert_eq!(app.audited().await, ["order.create", "delivery.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_is_the_orders_or_nothing() {
    let app = app().await;
    let items = json!([{"sku": "A", "quantity": 1, "price": 1}]);
    let urgent = json!({"customer_id": "verma", "items": items, "priority": "urgent"});
    let order = app.post("/logistics/orders", urgent).await.expect(201);
    let first = delivery(&app, &order).await;
    assert_eq!(first["priority"], "urgent");
    assert_eq!((&first["window"], &first["location"]), (&Value::Null, &Value::Null));
    let second = delivery(&app, &order).await;
    assert_ne!(first["tracking_number"], second["tracking_number"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_cannot_be_promised_for_yesterday() {
    let app = app().await;
    let order = order(&app).await;
    let on = |day: &str| json!({"order_id": order["id"], "delivery_date": day, "address": "1 Station Road"});
    let today = app.clock.now().date_naive();
    let yesterday = (today - TimeDelta::days(1)).to_string();
    let problem = app.post("/logistics/delivery", on(&yesterday)).await;
    let problem = problem.expect_problem(422, "date_in_the_past");
    assert_eq!(problem["errors"][0]["pointer"], "/delivery_date");
    app.post("/logistics/delivery", on(&today.to_string())).await.expect(201);
    app.post("/logistics/delivery", on("soon")).await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_delivery_is_listed_at_once() {
    let app = app().await;
    let bad = json!({"order_id": "42", "delivery_date": "2027-13-01", "address": "", "colour": "red",
                     "window": {"from": "24:00"}, "location": {"lat": 90.5, "lon": -181}});
    let problem = app.post("/logistics/delivery", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        pointers,
        [
            "/address",
            "/colour",
            "/delivery_date",
            "/location/lat",
            "/location/lon",
            "/order_id",
            "/window/from",
            "/window/to"
        ]
    );
    let backwards = json!({"order_id": NOBODY, "delivery_date": "2027-02-01", "address": "1 Station Road",
                           "window": {"from": "12:00", "to": "09:30"}});
    let problem = app.post("/logistics/delivery", backwards).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_needs_an_order_that_can_be_delivered() {
    let app = app().await;
    let of = |order: &Value| json!({"order_id": order, "delivery_date": "2027-02-01", "address": "Here"});
    let problem = app.post("/logistics/delivery", of(&json!(NOBODY))).await;
    let problem = problem.expect_problem(422, "unknown_reference");
    assert_eq!(problem["errors"][0]["pointer"], "/order_id");

    for refused in [
        &["on_hold"][..],
        &["cancelled"],
        &["approved", "dispatched", "delivered"],
        &["approved", "dispatched", "returned"],
    ] {
        let order = order(&app).await;
        for status in refused {
            move_order(&app, &order, status).await;
        }
        let problem = app.post("/logistics/delivery", of(&order["id"])).await;
        let problem = problem.expect_problem(409, "order_not_deliverable");
        assert_eq!(problem["order_status"], *refused.last().unwrap());
        assert!(problem["detail"].as_str().unwrap().contains(refused.last().unwrap()));
    }
    assert!(!app.recorded_names().await.contains(&"delivery_scheduled".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_there_is_missing() {
    let app = app().await;
    app.get(&format!("/logistics/delivery/{NOBODY}")).await.expect_problem(404, "not_found");
    let status = format!("/logistics/delivery/{NOBODY}/status");
    app.put(&status, json!({"status": "failed"})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    let (one, other) = (order(&app).await, order(&app).await);
    let first = delivery(&app, &one).await;
    let second = delivery(&app, &other).await;
    let failed = move_delivery(&app, &second, "failed").await;
    let third = delivery(&app, &one).await;
    let list = async |query: &str| app.get(&format!("/logistics/delivery?{query}")).await.expect(200);

    let of_one = list(&format!("order_id={}", one["id"].as_str().unwrap())).await;
    assert_eq!(of_one["items"], json!([third, first]));
    let of_both =
        list(&format!("order_id={},{}", one["id"].as_str().unwrap(), other["id"].as_str().unwrap())).await;
    assert_eq!(of_both["items"], json!([third, failed, first]));
    let nonsense = app.get("/logistics/delivery?order_id=1,2").await.expect_problem(422, "invalid_input");
    assert_eq!(nonsense["errors"][1]["pointer"], "?order_id/1");
    assert_eq!(list("status=failed").await["items"], json!([failed]));
    let number = first["tracking_number"].as_str().unwrap();
    assert_eq!(list(&format!("tracking_number={number}")).await["items"], json!([first]));

    let page = list("limit=2").await;
    assert_eq!((&page["items"], &page["total"]), (&json!([third, failed]), &json!(3)));
    let rest = list(&format!("limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([first]), &Value::Null));
    app.get("/logistics/delivery?tracking_number=BHV1").await.expect_problem(422, "invalid_input");
}
