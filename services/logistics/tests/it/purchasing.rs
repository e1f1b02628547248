use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{NOBODY, app, path};

async fn supplier(app: &TestApp) -> Value {
    let new = json!({"name": "Steel & Sons", "email": "sales@steel.example", "lead_time_days": 7});
    app.post("/logistics/suppliers", new).await.expect(201)
}

async fn list(app: &TestApp, path: &str) -> Vec<Value> {
    app.get(path).await.expect(200).get("items").and_then(Value::as_array).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn products_and_suppliers_are_kept_found_and_changed() {
    let app = app().await;
    let supplier = supplier(&app).await;
    let new = json!({"sku": "RACK-20", "name": "Rack, 20 shelves", "price": "12500", "unit": "piece",
                     "supplier_id": supplier["id"], "reorder_quantity": 10});
    let product = app.post("/logistics/products", new.clone()).await.expect(201);
    app.post("/logistics/products", new).await.expect_problem(409, "sku_taken");
    assert_eq!(list(&app, "/logistics/products?q=20+rac&sort=name").await, std::slice::from_ref(&product));
    assert_eq!(list(&app, "/logistics/products?sku=RACK-20&active=true").await.len(), 1);
    assert_eq!(list(&app, "/logistics/suppliers?q=steel").await, std::slice::from_ref(&supplier));

    let changed = json!({"price": null, "reorder_quantity": 20, "active": false});
    let changed = app.patch(&path("products", &product), changed).await.expect(200);
    assert_eq!((&changed["price"], &changed["reorder_quantity"]), (&json!(null), &json!(20)));
    let history = app.get(&format!("{}/history", path("products", &product))).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["active"], json!({"before": true, "after": false}));
    let refused = app.patch(&path("products", &product), json!({"supplier_id": NOBODY})).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/supplier_id");
    let gone = app.patch(&path("suppliers", &supplier), json!({"active": false, "phone": "12345"})).await;
    assert_eq!(gone.expect(200)["active"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_low_is_ordered_once_and_comes_to_those_who_wait() {
    let app = app().await;
    let supplier = supplier(&app).await;
    let product =
        json!({"sku": "RACK", "name": "Rack", "supplier_id": supplier["id"], "reorder_quantity": 10});
    app.post("/logistics/products", product).await.expect(201);
    let stock = json!({"product_id": "RACK", "location": "main", "on_hand": 5, "reorder_level": 2});
    let stock = app.post("/logistics/inventory", stock).await.expect(201);
    let order = async |quantity: i32| {
        let items = json!([{"sku": "RACK", "quantity": quantity, "price": 1}]);
        let new = json!({"customer_id": "verma", "items": items, "backorder": true});
        app.post("/logistics/orders", new).await.expect(201)
    };
    order(4).await;
    let [purchase] = list(&app, "/logistics/purchase-orders").await.try_into().unwrap();
    assert_eq!((&purchase["status"], &purchase["quantity"]), (&json!("draft"), &json!(10)));
    let expected = app.clock.now().date_naive() + chrono::TimeDelta::days(7);
    assert_eq!(purchase["expected_on"], json!(expected));
    let waiting = order(7).await;
    assert_eq!(list(&app, "/logistics/purchase-orders").await.len(), 1, "it is on order");
    let again = json!({"supplier_id": supplier["id"], "sku": "RACK", "location": "main", "quantity": 1});
    app.post("/logistics/purchase-orders", again.clone()).await.expect_problem(409, "on_order");

    let (at, receive) = (path("purchase-orders", &purchase), |at: &str| format!("{at}/receive"));
    let early = app.post(&receive(&at), json!({"quantity": 1})).await;
    let allowed = early.expect_problem(409, "illegal_transition")["allowed"].clone();
    assert_eq!(allowed, json!(["sent", "cancelled"]));
    let status = format!("{at}/status");
    app.put(&status, json!({"status": "sent"})).await.expect(200);
    app.put(&status, json!({"status": "received"})).await.expect_problem(409, "by_receipt");
    let part = app.post(&receive(&at), json!({"quantity": 4})).await.expect(200);
    assert_eq!((&part["status"], &part["received"]), (&json!("partially_received"), &json!(4)));
    let missing = app.get(&path("orders", &waiting)).await.expect(200)["items"][0]["backordered"].clone();
    assert_eq!(missing, 2);
    let too_many = app.post(&receive(&at), json!({"quantity": 7})).await;
    assert_eq!(too_many.expect_problem(409, "too_many")["accepted"], 6);
    let all = app.post(&receive(&at), json!({"quantity": 6})).await.expect(200);
    assert_eq!((&all["status"], &all["received"]), (&json!("received"), &json!(10)));
    let now = app.get(&path("inventory", &stock)).await.expect(200);
    assert_eq!((&now["on_hand"], &now["available"]), (&json!(15), &json!(4)));
    let reference = format!("purchase_order/{}", purchase["id"].as_str().unwrap());
    let receipts = list(&app, &format!("/logistics/movements?kind=receipt&reference={reference}")).await;
    assert_eq!(receipts.len(), 2);

    // What comes to a place where none was kept is kept there from then on.
    let elsewhere = json!({"supplier_id": supplier["id"], "sku": "RACK", "location": "annex", "quantity": 3});
    let elsewhere = app.post("/logistics/purchase-orders", elsewhere).await.expect(201);
    let at = path("purchase-orders", &elsewhere);
    app.put(&format!("{at}/status"), json!({"status": "sent"})).await.expect(200);
    app.post(&receive(&at), json!({"quantity": 3})).await.expect(200);
    let kept = list(&app, "/logistics/inventory?location=annex").await;
    assert_eq!(kept.first().unwrap()["on_hand"], 3);
    let unknown = json!({"supplier_id": NOBODY, "sku": "X", "location": "main", "quantity": 1});
    app.post("/logistics/purchase-orders", unknown).await.expect_problem(422, "unknown_reference");
}
