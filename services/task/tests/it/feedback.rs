use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::logistics::OrderCreated;
use bhiv_events::task::FeedbackReceived;
use serde_json::{Value, json};

use crate::{NOTHING, app, id, items};

const ORDER: &str = "0190aaaa-0000-7000-8000-00000000000a";

#[tokio::test(flavor = "multi_thread")]
async fn feedback_belongs_to_its_orders_story() {
    let app = app().await;
    let order = OrderCreated { order_id: ORDER.parse().unwrap(), ..OrderCreated::sample() };
    let ordered = app.event(&order);
    app.deliver_twice(&ordered).await;

    let new = json!({"order_id": ORDER, "rating": 2, "comment": "Late", "categories": ["speed"]});
    let answer = app.post("/task/feedback", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let given = answer.expect(201);
    assert_eq!(given["correlation_id"], json!(ordered.correlationid));
    assert_eq!((&given["customer"], &given["rating"]), (&json!("admin-1"), &json!(2)));
    assert_eq!(app.get(&location).await.expect(200), given);

    let [event] = app.recorded_as::<FeedbackReceived>().await.try_into().unwrap();
    assert_eq!((json!(event.feedback_id), event.rating), (given["id"].clone(), 2));
    assert_eq!((event.has_comment, event.categories), (true, vec!["speed".to_owned()]));
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| event.correlationid == ordered.correlationid));
    assert_eq!(app.audited().await, ["feedback.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_never_heard_of_begins_a_story() {
    let app = app().await;
    let given = app.post("/task/feedback", json!({"order_id": ORDER, "rating": 5})).await.expect(201);
    assert_eq!((&given["comment"], &given["categories"]), (&json!(null), &json!([])));
    assert!(given["correlation_id"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_speaks_once_about_an_order_and_may_change_it() {
    let mut app = app().await;
    let new = json!({"order_id": ORDER, "rating": 2, "comment": "Late"});
    let first = app.post("/task/feedback", new.clone()).await.expect(201);
    let refused = app.post("/task/feedback", new.clone()).await.expect_problem(409, "feedback_exists");
    assert_eq!(refused["feedback_id"], first["id"]);

    let path = format!("/task/feedback/{}", id(&first));
    let change = json!({"rating": 4, "comment": null, "categories": ["packing"]});
    let changed = app.patch(&path, change.clone()).await.expect(200);
    assert_eq!((&changed["rating"], &changed["comment"]), (&json!(4), &json!(null)));
    assert_eq!(app.patch(&path, change).await.expect(200), changed, "nothing more to change");
    let recorded = app.recorded().await;
    let said: Vec<_> = recorded.iter().filter(|event| event.name() == "feedback_received").collect();
    assert_eq!(said.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(said[1].data["has_comment"], false);
    assert_eq!(app.audited().await, ["feedback.create", "feedback.update"]);

    app.speak_as(Role::Support);
    app.patch(&path, json!({"rating": 1})).await.expect_problem(403, "not_your_feedback");
    assert_eq!(app.get(&path).await.expect(200), changed);
    app.post("/task/feedback", new).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_one() {
    let app = app().await;
    let give = || app.post("/task/feedback", json!({"order_id": ORDER, "rating": 3}));
    let (one, other) = tokio::join!(give(), give());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(app.recorded_names().await, ["feedback_received"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    for (order, rating) in [(ORDER, 5), (NOTHING, 1)] {
        app.post("/task/feedback", json!({"order_id": order, "rating": rating})).await.expect(201);
    }
    let ratings = async |query: &str| -> Vec<Value> {
        let found = items(&app, &format!("/task/feedback?{query}")).await;
        found.iter().map(|feedback| feedback["rating"].clone()).collect()
    };
    assert_eq!(ratings("").await, [1, 5]);
    assert_eq!(ratings("rating=5").await, [5]);
    assert_eq!(ratings(&format!("order_id={NOTHING}")).await, [1]);
    let first = app.get("/task/feedback?limit=1").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(ratings(&format!("limit=1&cursor={cursor}")).await, [5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let mut app = app().await;
    for rating in [json!(0), json!(6), json!(4.5), json!("5")] {
        let new = json!({"order_id": ORDER, "rating": rating});
        let refused = app.post("/task/feedback", new).await.expect_problem(422, "invalid_input");
        assert_eq!(refused["errors"][0]["pointer"], "/rating");
    }
    let path = format!("/task/feedback/{NOTHING}");
    app.get(&path).await.expect_problem(404, "not_found");
    app.patch(&path, json!({"rating": 1})).await.expect_problem(404, "not_found");
    app.speak_as(Role::Viewer);
    let refused = app.post("/task/feedback", json!({"order_id": ORDER, "rating": 5})).await;
    assert_eq!(refused.expect_problem(403, "permission_denied")["required_permission"], "task:write");
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_customers_say_is_counted() {
    let app = app().await;
    for (order, rating, categories, comment) in [
        (1, 5, json!(["speed"]), "very quick"),
        (2, 4, json!(["speed", "price"]), "fine"),
        (3, 1, json!([]), "bad"),
    ] {
        let order_id = uuid::Uuid::from_u128(order);
        let new =
            json!({"order_id": order_id, "rating": rating, "categories": categories, "comment": comment});
        app.post("/task/feedback", new).await.expect(201);
    }
    let summary = app.get("/task/feedback/summary").await.expect(200);
    assert_eq!((&summary["count"], &summary["distribution"]), (&json!(3), &json!([1, 0, 0, 1, 1])));
    assert_eq!(summary["categories"]["speed"]["mean"], 4.5);
    assert_eq!(summary["categories"]["price"]["count"], 1);
    let later = (app.clock.now() + chrono::TimeDelta::hours(1)).to_rfc3339().replace('+', "%2B");
    let none = app.get(&format!("/task/feedback/summary?from={later}")).await.expect(200);
    assert_eq!((&none["count"], &none["mean"]), (&json!(0), &json!(null)));
    assert_eq!(app.get("/task/feedback?q=quic").await.expect(200)["total"], 1);
}
