use bhiv_auth::Role;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::{NOBODY, app, order, path};

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_changes_nothing() {
    let mut app = app().await;
    let order = order(&app).await;
    let recorded = app.recorded().await;
    app.speak_as(Role::Viewer);
    app.get(&path("orders", &order)).await.expect(200);
    let items = json!([{"sku": "A", "quantity": 1, "price": 1}]);
    for (method, path, body) in [
        (Method::POST, "/logistics/orders".to_owned(), json!({"customer_id": "verma", "items": items})),
        (Method::POST, "/logistics/procurement".to_owned(), json!({"customer_id": "verma", "items": items})),
        (Method::PUT, format!("{}/status", path("orders", &order)), json!({"status": "cancelled"})),
        (
            Method::POST,
            "/logistics/delivery".to_owned(),
            json!({"order_id": order["id"], "delivery_date": "2027-02-01", "address": "Here"}),
        ),
        (Method::PUT, format!("/logistics/delivery/{NOBODY}/status"), json!({"status": "failed"})),
        (
            Method::POST,
            "/logistics/inventory".to_owned(),
            json!({"product_id": "A", "location": "main", "on_hand": 1}),
        ),
        (Method::PATCH, format!("/logistics/inventory/{NOBODY}"), json!({"adjust": 1})),
    ] {
        let problem = app.send(method, &path, Some(body)).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "logistics:write", "{path}");
    }
    assert_eq!(app.recorded().await, recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tracking_needs_no_token() {
    let app = app().await;
    for path in ["orders", "delivery", "inventory"] {
        for path in [format!("/logistics/{path}"), format!("/logistics/{path}/{NOBODY}")] {
            let anonymous = TestApp::read(app.request(Method::GET, &path)).await;
            anonymous.expect_problem(401, "missing_token");
        }
    }
}
