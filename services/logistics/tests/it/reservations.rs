//! What is promised to orders is there, whoever orders at the same time.

use std::collections::BTreeMap;

use bhiv_events::logistics::InventoryLow;
use bhiv_testing::TestApp;
use futures_util::future::join_all;
use logistics::{Config, Logistics};
use serde_json::{Value, json};

use crate::{app, move_order, path};

async fn keep(app: &TestApp, product: &str, location: &str, on_hand: i64) -> Value {
    let new = json!({"product_id": product, "location": location, "on_hand": on_hand});
    app.post("/logistics/inventory", new).await.expect(201)
}

fn order_of(items: &[(&str, i32)]) -> Value {
    let items: Vec<_> =
        items.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity, "price": 1})).collect();
    json!({"customer_id": "verma", "items": items})
}

async fn counts(app: &TestApp, stock: &Value) -> (i64, i64, i64) {
    let stock = app.get(&path("inventory", stock)).await.expect(200);
    let count = |name: &str| stock.get(name).and_then(Value::as_i64).unwrap();
    (count("on_hand"), count("reserved"), count("available"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_promised_what_is_there_and_gives_it_back_when_it_is_cancelled() {
    let app = app().await;
    let (main, annex) = (keep(&app, "RACK", "main", 5).await, keep(&app, "RACK", "annex", 3).await);
    let order = app.post("/logistics/orders", order_of(&[("RACK", 6), ("advice", 2)])).await.expect(201);
    assert_eq!(counts(&app, &main).await, (5, 5, 0), "the fullest shelf first");
    assert_eq!(counts(&app, &annex).await, (3, 1, 2));
    let refused = app.post("/logistics/orders", order_of(&[("RACK", 1), ("RACK", 2)])).await;
    let problem = refused.expect_problem(409, "insufficient_stock");
    assert_eq!(problem["lines"], json!([{"line": 2, "sku": "RACK", "wanted": 2, "available": 1}]));
    assert_eq!(counts(&app, &annex).await, (3, 1, 2), "a refused order changes nothing");

    move_order(&app, &order, "cancelled").await;
    assert_eq!(counts(&app, &main).await, (5, 0, 5));
    assert_eq!(counts(&app, &annex).await, (3, 0, 3));
    let reference = format!("order/{}", order["id"].as_str().unwrap());
    let moved = app.get(&format!("/logistics/movements?reference={reference}")).await.expect(200);
    let kinds: Vec<_> = moved["items"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["release", "release", "reservation", "reservation"]);
    assert!(moved["items"][0]["reserved"].as_i64().unwrap() < 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_comes_later_for_the_oldest_order_first() {
    let app = app().await;
    let stock = keep(&app, "RACK", "main", 3).await;
    let order = async |quantity: i32| {
        let mut new = order_of(&[("RACK", quantity)]);
        new["backorder"] = json!(true);
        app.post("/logistics/orders", new).await.expect(201)
    };
    let (first, second) = (order(5).await, order(4).await);
    assert_eq!(
        (&first["items"][0]["backordered"], &second["items"][0]["backordered"]),
        (&json!(2), &json!(4))
    );
    let missing = async |order: &Value| {
        app.get(&path("orders", order)).await.expect(200)["items"][0]["backordered"].clone()
    };
    app.patch(&path("inventory", &stock), json!({"adjust": 3})).await.expect(200);
    assert_eq!((missing(&first).await, missing(&second).await), (json!(0), json!(3)));
    // What one does not want any more is promised to those who wait.
    move_order(&app, &first, "cancelled").await;
    assert_eq!(missing(&second).await, 0);
    assert_eq!(counts(&app, &stock).await, (6, 4, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_leave_and_come_back() {
    let app = app().await;
    let stock = keep(&app, "RACK", "main", 3).await;
    let mut new = order_of(&[("RACK", 5), ("advice", 1)]);
    new["backorder"] = json!(true);
    let order = app.post("/logistics/orders", new).await.expect(201);
    let (ship, back) =
        (format!("{}/ship", path("orders", &order)), format!("{}/return", path("orders", &order)));
    let early = app.post(&ship, json!({})).await.expect_problem(409, "order_not_shippable");
    assert_eq!(early["order_status"], "pending");
    move_order(&app, &order, "approved").await;
    let too_many = json!({"lines": [{"line": 1, "quantity": 4}]});
    let problem = app.post(&ship, too_many).await.expect_problem(409, "too_many");
    assert_eq!((&problem["line"], &problem["accepted"]), (&json!(1), &json!(3)));
    let part = app.post(&ship, json!({"lines": [{"line": 1, "quantity": 2}]})).await.expect(200);
    assert_eq!((&part["status"], &part["items"][0]["shipped"]), (&json!("dispatched"), &json!(2)));
    assert_eq!(counts(&app, &stock).await, (1, 1, 0));

    // The rest follows when it has come.
    app.patch(&path("inventory", &stock), json!({"adjust": 2})).await.expect(200);
    let all = app.post(&ship, json!({})).await.expect(200);
    assert_eq!((&all["items"][0]["shipped"], &all["items"][1]["shipped"]), (&json!(5), &json!(1)));
    assert_eq!(counts(&app, &stock).await, (0, 0, 0));
    app.post(&ship, json!({})).await.expect_problem(409, "nothing_to_move");

    move_order(&app, &order, "delivered").await;
    let some = json!({"lines": [{"line": 1, "quantity": 4}], "restock": true, "reason": "bent"});
    let some = app.post(&back, some).await.expect(200);
    assert_eq!((&some["status"], &some["items"][0]["returned"]), (&json!("delivered"), &json!(4)));
    assert_eq!(counts(&app, &stock).await, (4, 0, 4));
    app.post(&back, json!({"lines": [{"line": 1, "quantity": 2}]})).await.expect_problem(409, "too_many");
    let rest = app.post(&back, json!({})).await.expect(200);
    assert_eq!(rest["status"], "returned");
    assert_eq!(counts(&app, &stock).await, (4, 0, 4), "nobody said that the rest can be sold again");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_brought_to_another_location_and_its_history_is_kept() {
    let app = app().await;
    let stock = keep(&app, "RACK", "main", 5).await;
    let transfer = format!("{}/transfer", path("inventory", &stock));
    let there = app.post(&transfer, json!({"location": "annex", "quantity": 2})).await.expect(200);
    assert_eq!((&there["location"], &there["on_hand"]), (&json!("annex"), &json!(2)));
    let more = app.post(&transfer, json!({"location": "annex", "quantity": 3})).await.expect(200);
    assert_eq!((&more["id"], &more["on_hand"]), (&there["id"], &json!(5)));
    let refused = app.post(&transfer, json!({"location": "annex", "quantity": 1})).await;
    assert_eq!(refused.expect_problem(409, "insufficient_stock")["available"], 0);
    app.post(&transfer, json!({"location": "main", "quantity": 1}))
        .await
        .expect_problem(409, "same_location");
    let history = app.get(&format!("{}/history", path("inventory", &stock))).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["on_hand"], json!({"before": 3, "after": 0}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_can_make_a_product_run_low() {
    let app = app().await;
    let new = json!({"product_id": "RACK", "location": "main", "on_hand": 5, "reorder_level": 2});
    app.post("/logistics/inventory", new).await.expect(201);
    app.post("/logistics/orders", order_of(&[("RACK", 2)])).await.expect(201);
    assert_eq!(app.recorded_as::<InventoryLow>().await.len(), 0);
    app.post("/logistics/orders", order_of(&[("RACK", 1)])).await.expect(201);
    app.post("/logistics/orders", order_of(&[("RACK", 1)])).await.expect(201);
    let [event] = app.recorded_as::<InventoryLow>().await.try_into().unwrap();
    assert_eq!(event.available, 2);
}

/// Numbers that look like chance and are the same each time (Knuth's linear congruential generator, MMIX).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_replicas_sell_at_once_nothing_is_sold_twice_and_nobody_waits_in_a_circle() {
    const PRODUCTS: [&str; 4] = ["A", "B", "C", "D"];
    let first = app().await;
    let replicas = [
        TestApp::replica_of::<Logistics>(&first, |_| Config::default()),
        TestApp::replica_of::<Logistics>(&first, |_| Config::default()),
    ];
    let mut shelves = Vec::new();
    for product in PRODUCTS {
        for location in ["main", "annex"] {
            shelves.push(keep(&first, product, location, 40).await);
        }
    }
    let apps = [&first, &replicas[0], &replicas[1]];
    let sellers = (0..12).map(|seller: usize| {
        let app = apps[seller % 3];
        let mut chance = Chance(seller as u64 + 1);
        async move {
            let mut sold = Vec::new();
            for _ in 0..15 {
                // Several products each, in any order: whoever locked them in that order would meet others.
                let lines = 1 + chance.below(3);
                let items: Vec<_> = (0..lines)
                    .map(|_| {
                        let product = PRODUCTS[usize::try_from(chance.below(4)).unwrap()];
                        (product, 1 + i32::try_from(chance.below(6)).unwrap())
                    })
                    .collect();
                let answer = app.post("/logistics/orders", order_of(&items)).await;
                if answer.status == 409 {
                    answer.expect_problem(409, "insufficient_stock");
                    continue;
                }
                let order = answer.expect(201);
                match chance.below(3) {
                    0 => {
                        move_order(app, &order, "cancelled").await;
                    }
                    1 => {
                        move_order(app, &order, "approved").await;
                        move_order(app, &order, "dispatched").await;
                        sold.push(items);
                    }
                    _ => sold.push(items),
                }
            }
            sold
        }
    });
    let sold: Vec<_> = join_all(sellers).await.into_iter().flatten().flatten().collect();
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    for (product, quantity) in sold {
        *expected.entry(product).or_default() += i64::from(quantity);
    }
    let mut left: BTreeMap<String, i64> = BTreeMap::new();
    for shelf in &shelves {
        let (on_hand, reserved, available) = counts(&first, shelf).await;
        assert!(on_hand >= 0 && reserved >= 0 && available >= 0);
        *left.entry(shelf["product_id"].as_str().unwrap().to_owned()).or_default() += available;
        // What is there is what the ledger says.
        let id = shelf["id"].as_str().unwrap();
        let (mut sums, mut path) = ((0, 0), format!("/logistics/movements?stock_id={id}&limit=200"));
        loop {
            let page = first.get(&path).await.expect(200);
            for movement in page["items"].as_array().unwrap() {
                sums.0 += movement["on_hand"].as_i64().unwrap();
                sums.1 += movement["reserved"].as_i64().unwrap();
            }
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/logistics/movements?stock_id={id}&limit=200&cursor={cursor}");
        }
        assert_eq!(sums, (on_hand, reserved), "{shelf}");
    }
    for product in PRODUCTS {
        assert_eq!(left[product], 80 - expected.get(product).copied().unwrap_or(0), "{product}");
    }
}
