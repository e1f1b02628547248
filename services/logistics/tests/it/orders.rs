use bhiv_events::logistics::{OrderCreated, OrderStatusChanged};
use serde_json::{Value, json};

use crate::{NOBODY, app, move_order, order, path};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_with_its_event_and_its_audit_row() {
    let app = app().await;
    let new = json!({
        "opportunity_id": NOBODY, "customer_id": "verma", "total": 37500, "currency": "EUR",
        "priority": "high",
        "items": [
            {"product": "Rack, 20 shelves", "quantity": 2, "price": 12500.5},
            {"sku": "BOLT-8", "quantity": 4, "price": "3124.75"},
        ],
    });
    let answer = app.post("/logistics/orders", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let placed = answer.expect(201);
    assert_eq!(location, path("orders", &placed));
    assert_eq!((&placed["status"], &placed["priority"]), (&json!("pending"), &json!("high")));
    assert_eq!((&placed["total"], &placed["currency"]), (&json!("37500.00"), &json!("EUR")));
    let none = json!({"backordered": 0, "shipped": 0, "returned": 0});
    let item = |mut item: Value| {
        item.as_object_mut().unwrap().extend(none.as_object().unwrap().clone());
        item
    };
    assert_eq!(
        placed["items"],
        json!([
            item(json!({"line": 1, "sku": "Rack, 20 shelves", "quantity": 2, "price": "12500.5"})),
            item(json!({"line": 2, "sku": "BOLT-8", "quantity": 4, "price": "3124.75"})),
        ])
    );
    assert_eq!(app.get(&location).await.expect(200), placed);

    let [event] = app.recorded_as::<OrderCreated>().await.try_into().unwrap();
    assert_eq!(json!(event.order_id), placed["id"]);
    assert_eq!((event.items.len(), event.items[1].quantity), (2, 4));
    assert_eq!((event.total.to_string().as_str(), event.currency.as_str()), ("37500.00", "EUR"));
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == placed["correlation_id"]));
    assert_eq!(app.audited().await, ["order.create"]);
    assert_eq!(recorded[1].data["after"], placed);
    assert_eq!(recorded[1].data["entity"], format!("order/{}", placed["id"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn procurement_is_another_name_for_orders() {
    let app = app().await;
    let new = json!({"customer_id": "verma", "items": [{"sku": "A", "quantity": 1, "price": 1}]});
    let answer = app.post("/logistics/procurement", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(app.get(&location).await.expect(200), answer.expect(201));
    assert_eq!(app.recorded_names().await, ["order_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_order_is_listed_at_once() {
    let app = app().await;
    let bad =
        json!({"items": [{"sku": "", "quantity": 0, "price": -1, "colour": "red"}], "priority": "asap"});
    let problem = app.post("/logistics/orders", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        pointers,
        [
            "/customer_id",
            "/items/0/colour",
            "/items/0/price",
            "/items/0/quantity",
            "/items/0/sku",
            "/priority"
        ]
    );
    let nothing = json!({"customer_id": "verma", "items": []});
    let problem = app.post("/logistics/orders", nothing).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/items");
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_a_product_or_a_sku() {
    let app = app().await;
    let good = json!({"sku": "A", "quantity": 1, "price": 1});
    for bad in
        [json!({"quantity": 1, "price": 1}), json!({"sku": "A", "product": "A", "quantity": 1, "price": 1})]
    {
        let new = json!({"customer_id": "verma", "items": [good, bad]});
        let problem = app.post("/logistics/orders", new).await.expect_problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/items/1", "{problem:#}");
    }
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_must_be_the_sum() {
    let app = app().await;
    let items = json!([{"sku": "A", "quantity": 3, "price": 0.1}]);
    let new = json!({"customer_id": "verma", "items": items, "total": 0.4});
    let problem = app.post("/logistics/orders", new).await.expect_problem(422, "total_mismatch");
    assert_eq!(problem["expected"], "0.3");
    assert_eq!(problem["errors"][0]["pointer"], "/total");
    let new = json!({"customer_id": "verma", "items": items, "total": "0.3000"});
    assert_eq!(app.post("/logistics/orders", new).await.expect(201)["total"], "0.3");

    let dear = json!([{"sku": "A", "quantity": 2, "price": "999999999999999"}]);
    let new = json!({"customer_id": "verma", "items": dear});
    let problem = app.post("/logistics/orders", new).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/items");
    assert_eq!(app.recorded_names().await, ["order_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_moves_along_its_table() {
    let app = app().await;
    let order = order(&app).await;
    let status = format!("{}/status", path("orders", &order));
    let held = json!({"status": "on_hold", "reason": "no credit"});
    let held = app.put(&status, held).await.expect(200);
    assert_eq!((&held["status"], &held["status_reason"]), (&json!("on_hold"), &json!("no credit")));
    assert_eq!((&held["version"], &held["items"]), (&json!(2), &order["items"]));
    assert_eq!(app.get(&path("orders", &order)).await.expect(200), held);

    let problem = app.put(&status, json!({"status": "picking"})).await;
    let problem = problem.expect_problem(409, "illegal_transition");
    assert_eq!(problem["allowed"], json!(["approved", "cancelled"]));
    let approved = move_order(&app, &order, "approved").await;
    assert_eq!(approved["status_reason"], json!(null), "a reason is that of its own move");

    let [first, second] = app.recorded_as::<OrderStatusChanged>().await.try_into().unwrap();
    assert_eq!((first.from.as_str(), first.to.as_str()), ("pending", "on_hold"));
    assert_eq!(first.reason.as_deref(), Some("no credit"));
    assert_eq!((second.from.as_str(), second.to.as_str()), ("on_hold", "approved"));
    let recorded = app.recorded().await;
    let subject = format!("order/{}", order["id"].as_str().unwrap());
    let of_order: Vec<_> = recorded.iter().filter(|event| event.subject == subject).collect();
    assert_eq!(of_order.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(recorded.iter().all(|event| json!(event.correlationid) == order["correlation_id"]));
    assert_eq!(app.audited().await, ["order.create", "order.move", "order.move"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_there_is_missing() {
    let app = app().await;
    app.get(&format!("/logistics/orders/{NOBODY}")).await.expect_problem(404, "not_found");
    let status = format!("/logistics/orders/{NOBODY}/status");
    app.put(&status, json!({"status": "approved"})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    let mut placed = Vec::new();
    for (customer, opportunity) in [("a", Some(NOBODY)), ("b", None), ("a", None)] {
        let items: Vec<_> =
            (1..=3).map(|n| json!({"sku": format!("{customer}-{n}"), "quantity": n, "price": n})).collect();
        let new = json!({"customer_id": customer, "opportunity_id": opportunity, "items": items});
        placed.push(app.post("/logistics/orders", new).await.expect(201));
    }
    let approved = move_order(&app, &placed[1], "approved").await;
    let list = async |query: &str| app.get(&format!("/logistics/orders?{query}")).await.expect(200);

    assert_eq!(list("customer_id=a").await["items"], json!([placed[2], placed[0]]));
    assert_eq!(list("status=approved").await["items"], json!([approved]));
    for several in [NOBODY.to_owned(), format!("0190aaaa-0000-7000-8000-000000000001,{NOBODY}")] {
        assert_eq!(list(&format!("opportunity_id={several}")).await["items"], json!([placed[0]]));
    }
    assert_eq!(list("status=returned").await, json!({"items": [], "total": 0, "next_cursor": null}));

    let first = list("limit=2").await;
    assert_eq!((&first["items"], &first["total"]), (&json!([placed[2], approved]), &json!(3)));
    let rest = list(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([placed[0]]), &Value::Null));
    app.get("/logistics/orders?status=lost").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_sorted_moved_together_and_read_as_they_were() {
    let app = app().await;
    let mut placed = Vec::new();
    for (customer, price) in [("Verma Textiles", 30), ("asha", 10), ("Verma Motors", 20)] {
        let new = json!({"customer_id": customer, "items": [{"sku": "X", "quantity": 1, "price": price}]});
        placed.push(app.post("/logistics/orders", new).await.expect(201));
    }
    let totals = async |query: &str| {
        let page = app.get(&format!("/logistics/orders?{query}")).await.expect(200);
        let totals: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| it["total"].clone()).collect();
        json!(totals)
    };
    assert_eq!(totals("sort=total").await, json!(["10", "20", "30"]));
    assert_eq!(totals("q=verm&sort=-total").await, json!(["30", "20"]));
    assert_eq!(totals("priority=urgent").await, json!([]));
    let then = app.clock.now().to_rfc3339().replace('+', "%2B");
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let bulk = json!({"ids": [placed[0]["id"], NOBODY], "change": {"status": "approved"}});
    let answer = app.post("/logistics/orders/bulk", bulk).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["results"][1]["status"]), (&json!(1), &json!(404)));
    let order = path("orders", &placed[0]);
    assert_eq!(app.get(&format!("{order}?as_of={then}")).await.expect(200)["status"], "pending");
    assert_eq!(app.get(&order).await.expect(200)["status"], "approved");
    let history = app.get(&format!("{order}/history")).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["status"], json!({"before": "pending", "after": "approved"}));
}
