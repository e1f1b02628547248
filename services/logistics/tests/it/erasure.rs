use bhiv_auth::Role;
use bhiv_events::compliance::ErasureRequested;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{app, move_delivery, move_order, path};

fn request(app: &TestApp, person: &str, also: &[String]) -> ErasureRequested {
    ErasureRequested { erasure_id: app.clock.id(), person: person.to_owned(), also: also.to_vec() }
}

async fn order_of(app: &TestApp, customer: &str, opportunity: Option<&str>) -> Value {
    let items = json!([{"sku": "RACK-20", "quantity": 2, "price": "12500.00"}]);
    let new = json!({"customer_id": customer, "opportunity_id": opportunity, "items": items});
    app.post("/logistics/orders", new).await.expect(201)
}

/// An order, delivered with everything that can be said of it.
async fn delivered(app: &TestApp, order: &Value) -> Value {
    move_order(app, order, "approved").await;
    let new = json!({
        "order_id": order["id"], "delivery_date": "2027-02-01", "address": "1 Quarrowgate", "timezone": "Asia/Kolkata",
        "location": {"lat": 26.912_487, "lon": 75.787_391}, "special_instructions": "ring at Zylphia's, blueshutters",
    });
    let delivery = app.post("/logistics/delivery", new).await.expect(201);
    move_delivery(app, &delivery, "in_transit").await;
    let scan = json!({"kind": "attempted", "place": "Quarrowgate", "note": "zylphia was out",
                      "location": {"lat": 26.912_487, "lon": 75.787_391}});
    app.post(&format!("{}/events", path("delivery", &delivery)), scan).await.expect(201);
    let picture = app.request(
        Method::POST,
        &format!("{}/proofs?kind=signature&received_by=Zylphia", path("delivery", &delivery)),
    );
    let picture = picture.bearer_auth(app.token(Role::Admin)).header("content-type", "image/png");
    TestApp::read(picture.body(PICTURE)).await.expect(201);
    app.put(
        &format!("{}/status", path("delivery", &delivery)),
        json!({"status": "delivered", "reason": "to zylphia herself"}),
    )
    .await
    .expect(200)
}

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nmistletoe";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_customer_but_the_accounts() {
    let app = app().await;
    let order = order_of(&app, "Zylphia-77", None).await;
    let delivery = delivered(&app, &order).await;
    let others = order_of(&app, "zylphia", None).await;
    let others = delivered(&app, &others).await;

    let needles = ["zylphia-77"];
    let told = app.erase(&request(&app, "zylphia-77", &[]), &needles).await;
    let kept: Vec<_> = told.kept.iter().map(|kept| (kept.what.as_str(), kept.count)).collect();
    assert_eq!(kept, [("orders", 1)], "{told:?}");
    let removed = |what: &str| told.removed.iter().find(|it| it.what == what).map_or(0, |it| it.count);
    let counts = ["addresses of deliveries", "notes on the way", "proofs"].map(removed);
    assert_eq!(counts, [1, 1, 1], "{told:?}");

    let order = app.get(&path("orders", &order)).await.expect(200);
    assert_eq!((&order["customer_id"], &order["total"]), (&json!("erased"), &json!("25000.00")));
    assert_eq!(order["items"][0]["sku"], "RACK-20");
    let delivery = app.get(&path("delivery", &delivery)).await.expect(200);
    assert_eq!((&delivery["address"], &delivery["location"]), (&json!("[erased]"), &Value::Null));
    assert_eq!(delivery["status"], "delivered");
    let history = app.get(&format!("{}/history", path("orders", &order))).await.expect(200);
    let creation = &history["items"].as_array().unwrap().last().unwrap()["changes"];
    assert_eq!(
        creation["customer_id"]["after"], "erased",
        "what was ordered can be followed still: {history:#}"
    );
    let others = app.get(&path("delivery", &others)).await.expect(200);
    assert_eq!(others["address"], "1 Quarrowgate", "who is called alike is somebody else");

    let needles = ["zylphia", "quarrowgate", "26.912487", "blueshutters", "mistletoe"];
    app.erase(&request(&app, "zylphia", &[]), &needles).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_every_name_that_is_known_here() {
    let app = app().await;
    let (lead, opportunity) = (app.clock.id(), app.clock.id());
    let opportunity = opportunity.to_string();
    let by_lead = order_of(&app, &format!("lead/{lead}"), None).await;
    let by_id = order_of(&app, &lead.to_string(), None).await;
    let by_opportunity = order_of(&app, "verma", Some(&opportunity)).await;
    let another = order_of(&app, "verma", None).await;
    let also = [format!("opportunity/{opportunity}")];
    let told = app.erase(&request(&app, &format!("lead/{lead}"), &also), &[]).await;
    assert_eq!(told.kept[0].count, 3, "{told:?}");
    for (order, customer) in
        [(by_lead, "erased"), (by_id, "erased"), (by_opportunity, "erased"), (another, "verma")]
    {
        assert_eq!(app.get(&path("orders", &order)).await.expect(200)["customer_id"], customer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_and_the_person_at_a_supplier_are_forgotten() {
    let app = app().await;
    let courier = json!({"name": "Zylphia Quarrow", "phone": "+44 5550148317", "capacity": 5,
                         "shift": {"from": "09:00", "to": "17:00"}, "cost_per_km": "1", "cost_per_hour": "1"});
    let courier = app.post("/logistics/couriers", courier).await.expect(201);
    let supplier = json!({"name": "Looms Ltd", "email": "zylphia@looms.example", "phone": "+44 5550148318", "lead_time_days": 3});
    let supplier = app.post("/logistics/suppliers", supplier).await.expect(201);
    let person = format!("courier/{}", courier["id"].as_str().unwrap());
    let also = ["zylphia@looms.example".to_owned()];
    let needles = ["zylphia", "quarrow", "5550148317", "5550148318"];
    app.erase(&request(&app, &person, &also), &needles).await;
    let courier = app.get(&path("couriers", &courier)).await.expect(200);
    assert_eq!((&courier["active"], &courier["phone"]), (&json!(false), &Value::Null));
    let supplier = app.get(&path("suppliers", &supplier)).await.expect(200);
    assert_eq!((&supplier["name"], &supplier["email"]), (&json!("Looms Ltd"), &Value::Null));
}
