use bhiv_events::logistics::InventoryLow;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{NOBODY, app, path};

async fn stock(app: &TestApp, on_hand: i64, reorder_level: i64) -> Value {
    let new = json!({"product_id": "RACK-20", "location": "main", "on_hand": on_hand,
                     "reorder_level": reorder_level});
    app.post("/logistics/inventory", new).await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_kept_once_at_a_location() {
    let app = app().await;
    let answer =
        app.post("/logistics/inventory", json!({"product_id": "A", "location": "main", "on_hand": 7})).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let kept = answer.expect(201);
    assert_eq!(location, path("inventory", &kept));
    assert_eq!((&kept["on_hand"], &kept["reserved"], &kept["available"]), (&json!(7), &json!(0), &json!(7)));
    assert_eq!(kept["reorder_level"], 0);
    assert_eq!(app.get(&location).await.expect(200), kept);

    let again = json!({"product_id": "A", "location": "main", "on_hand": 1});
    app.post("/logistics/inventory", again).await.expect_problem(409, "stock_exists");
    let elsewhere = json!({"product_id": "A", "location": "annex", "on_hand": 1});
    app.post("/logistics/inventory", elsewhere).await.expect(201);
    let bad = json!({"product_id": "A", "location": "attic", "on_hand": -1});
    app.post("/logistics/inventory", bad).await.expect_problem(422, "invalid_input");
    assert_eq!(app.audited().await, ["stock.create", "stock.create"]);
    assert_eq!(app.recorded_names().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_and_goes_is_noted_with_its_reason() {
    let app = app().await;
    let stock = stock(&app, 7, 0).await;
    let path = path("inventory", &stock);
    let change = json!({"adjust": 5, "reorder_level": 3, "reason": "order/1 came back"});
    let more = app.patch(&path, change).await.expect(200);
    assert_eq!((&more["on_hand"], &more["available"], &more["version"]), (&json!(12), &json!(12), &json!(2)));
    assert_eq!((&more["reorder_level"], &more["change_reason"]), (&json!(3), &json!("order/1 came back")));
    assert_eq!(app.get(&path).await.expect(200), more);
    let less = app.patch(&path, json!({"adjust": -2})).await.expect(200);
    assert_eq!((&less["on_hand"], &less["change_reason"]), (&json!(10), &Value::Null));

    let unchanged = app.patch(&path, json!({"adjust": 0, "reorder_level": 3, "reason": "counted"})).await;
    assert_eq!(unchanged.expect(200), less, "what changes nothing tells nothing");
    let recorded = app.recorded().await;
    assert_eq!(app.audited().await, ["stock.create", "stock.adjust", "stock.adjust"]);
    assert_eq!((&recorded[1].data["before"], &recorded[1].data["after"]), (&stock, &more));
    assert!(recorded.iter().all(|event| json!(event.correlationid) == stock["correlation_id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_taken_than_there_is() {
    let app = app().await;
    let stock = stock(&app, 5, 0).await;
    let path = path("inventory", &stock);
    let problem = app.patch(&path, json!({"adjust": -6})).await.expect_problem(409, "insufficient_stock");
    assert_eq!(problem["available"], 5);
    let problem = app.patch(&path, json!({"adjust": 1_000_000_000_000_i64})).await;
    assert_eq!(problem.expect_problem(422, "invalid_input")["errors"][0]["pointer"], "/adjust");
    assert_eq!(app.get(&path).await.expect(200), stock);

    let take = || app.patch(&path, json!({"adjust": -1}));
    let (a, b, c, d, e, f, g) = tokio::join!(take(), take(), take(), take(), take(), take(), take());
    let refused = [a, b, c, d, e, f, g].into_iter().filter(|answer| answer.status != 200);
    let refused: Vec<_> = refused.map(|answer| answer.expect_problem(409, "insufficient_stock")).collect();
    assert_eq!(refused.len(), 2, "seven want one each of five");
    assert_eq!(app.get(&path).await.expect(200)["on_hand"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn falling_to_the_reorder_level_is_told_once() {
    let app = app().await;
    let stock = stock(&app, 7, 5).await;
    let path = path("inventory", &stock);
    let told = async |change: Value| {
        let before = app.recorded_as::<InventoryLow>().await.len();
        app.patch(&path, change).await.expect(200);
        app.recorded_as::<InventoryLow>().await.len() - before
    };
    assert_eq!(told(json!({"adjust": -1})).await, 0, "6 is above 5");
    assert_eq!(told(json!({"adjust": -1})).await, 1, "5 is at 5");
    assert_eq!(told(json!({"adjust": -1})).await, 0, "4 was told");
    assert_eq!(told(json!({"reorder_level": 3})).await, 0, "4 is above 3");
    assert_eq!(told(json!({"reorder_level": 4})).await, 1, "4 is at 4");
    assert_eq!(told(json!({"adjust": 10, "reorder_level": 20})).await, 0, "it was low and is low");

    let low = app.recorded_as::<InventoryLow>().await;
    assert_eq!((low[0].product_id.as_str(), low[0].location.as_str()), ("RACK-20", "main"));
    assert_eq!((low[0].available, low[0].reorder_level), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_begins_low_is_told_if_there_is_a_level() {
    let app = app().await;
    let new = |product: &str, level: i64| {
        json!({"product_id": product, "location": "main", "on_hand": 0,
               "reorder_level": level})
    };
    app.post("/logistics/inventory", new("unwatched", 0)).await.expect(201);
    assert_eq!(app.recorded_names().await, [""; 0]);
    app.post("/logistics/inventory", new("watched", 1)).await.expect(201);
    assert_eq!(app.recorded_names().await, ["inventory_low"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_is_not_there_is_missing() {
    let app = app().await;
    let path = format!("/logistics/inventory/{NOBODY}");
    app.get(&path).await.expect_problem(404, "not_found");
    app.patch(&path, json!({"adjust": 1})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    let mut kept = Vec::new();
    for (product, location, on_hand) in [("A", "main", 9), ("A", "annex", 2), ("B", "main", 3)] {
        let new =
            json!({"product_id": product, "location": location, "on_hand": on_hand, "reorder_level": 3});
        kept.push(app.post("/logistics/inventory", new).await.expect(201));
    }
    let list = async |query: &str| app.get(&format!("/logistics/inventory?{query}")).await.expect(200);
    assert_eq!(list("product_id=A").await["items"], json!([kept[1], kept[0]]));
    assert_eq!(list("location=main").await["items"], json!([kept[2], kept[0]]));
    assert_eq!(list("low=true").await["items"], json!([kept[2], kept[1]]));
    assert_eq!(list("low=false&location=main").await["items"], json!([kept[0]]));

    let page = list("limit=2").await;
    assert_eq!((&page["items"], &page["total"]), (&json!([kept[2], kept[1]]), &json!(3)));
    let rest = list(&format!("limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([kept[0]]), &Value::Null));
}
