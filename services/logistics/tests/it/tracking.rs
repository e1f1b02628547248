use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::{app, delivery, order};

#[tokio::test(flavor = "multi_thread")]
async fn everybody_can_follow_a_delivery_and_learns_nothing_else() {
    let app = app().await;
    let order = order(&app).await;
    let delivery = delivery(&app, &order).await;
    let number = delivery["tracking_number"].as_str().unwrap();
    let track = async |number: &str| {
        TestApp::read(app.request(Method::GET, &format!("/logistics/track/{number}"))).await
    };
    let seen = json!({
        "tracking_number": number, "status": "scheduled", "delivery_date": "2027-02-01",
        "updated_at": delivery["updated_at"],
    });
    assert_eq!(track(number).await.expect(200), seen);
    assert_eq!(track(&number.to_lowercase()).await.expect(200), seen);
    track("BHV0000000000000").await.expect_problem(404, "not_found");
    track("42").await.expect_problem(404, "not_found");
}
