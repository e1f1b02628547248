use bhiv_auth::Role;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{NOBODY, app, delivery, move_delivery, move_order, order, path};

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
        "tracking_number": number, "status": "scheduled", "delivery_date": "2027-02-01", "window": null,
        "eta": null, "updated_at": delivery["updated_at"],
        "events": [{"kind": "scheduled", "at": delivery["created_at"]}],
    });
    assert_eq!(track(number).await.expect(200), seen);
    assert_eq!(track(&number.to_lowercase()).await.expect(200), seen);
    track("BHV0000000000000").await.expect_problem(404, "not_found");
    track("42").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_the_way_is_noted_and_only_its_kind_is_for_everybody() {
    let app = app().await;
    let order = order(&app).await;
    move_order(&app, &order, "approved").await;
    let delivery = delivery(&app, &order).await;
    let events = format!("{}/events", path("delivery", &delivery));
    let scan = json!({"kind": "arrived_at_hub", "place": "Jaipur hub", "note": "Box 7",
                      "location": {"lat": 26.9, "lon": 75.8}, "at": "2027-01-14T10:00:00Z"});
    let noted = app.post(&events, scan).await.expect(201);
    assert_eq!((&noted["actor"], &noted["place"]), (&json!("user/admin-1"), &json!("Jaipur hub")));
    move_delivery(&app, &delivery, "in_transit").await;
    let tomorrow = app.clock.now() + chrono::TimeDelta::days(1);
    let early = app.post(&events, json!({"kind": "attempted", "at": tomorrow})).await;
    assert_eq!(early.expect_problem(422, "in_the_future")["errors"][0]["pointer"], "/at");
    app.post(&events, json!({"kind": "delivered"})).await.expect_problem(422, "invalid_input");
    app.post(&events, json!({"kind": "attempted", "note": "Nobody there"})).await.expect(201);

    let kinds = |list: &Value| -> Vec<String> {
        let items = list.as_array().unwrap().iter();
        items.map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    let list = app.get(&format!("{events}?limit=3")).await.expect(200);
    assert_eq!((kinds(&list["items"]).len(), &list["total"]), (3, &json!(4)));
    let rest = format!("{events}?limit=3&cursor={}", list["next_cursor"].as_str().unwrap());
    assert_eq!(kinds(&app.get(&rest).await.expect(200)["items"]), ["arrived_at_hub"], "the oldest");
    let public = format!("/logistics/track/{}", delivery["tracking_number"].as_str().unwrap());
    let seen = TestApp::read(app.request(Method::GET, &public)).await.expect(200);
    assert_eq!(kinds(&seen["events"])[0], "arrived_at_hub");
    let text = seen.to_string();
    assert!(!text.contains("Jaipur") && !text.contains("Nobody") && !text.contains("admin"), "{text}");

    move_delivery(&app, &delivery, "delivered").await;
    let over = app.post(&events, json!({"kind": "attempted"})).await.expect_problem(409, "delivery_ended");
    assert_eq!(over["delivery_status"], "delivered");
    let nowhere = format!("/logistics/delivery/{NOBODY}/events");
    app.post(&nowhere, json!({"kind": "attempted"})).await.expect_problem(404, "not_found");
    app.get(&nowhere).await.expect_problem(404, "not_found");
}

/// The beginning of a picture of one point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_shows_that_it_arrived() {
    let app = app().await;
    let order = order(&app).await;
    move_order(&app, &order, "approved").await;
    let delivery = delivery(&app, &order).await;
    let at = format!("{}/proofs", path("delivery", &delivery));
    let send = async |query: &str, media_type: &str, body: Vec<u8>| {
        let request = app.request(Method::POST, &format!("{at}?{query}"));
        let token = app.token_of("admin-1", Role::Admin);
        TestApp::read(request.bearer_auth(token).header("content-type", media_type).body(body)).await
    };
    send("kind=photo", "image/png", PNG.to_vec()).await.expect_problem(409, "not_under_way");
    move_delivery(&app, &delivery, "in_transit").await;
    send("kind=photo", "image/jpeg", PNG.to_vec()).await.expect_problem(422, "invalid_input");
    send("kind=photo", "image/png", b"<svg onload=alert(1)>".to_vec())
        .await
        .expect_problem(422, "invalid_input");
    send("kind=photo", "image/svg+xml", PNG.to_vec()).await.expect_problem(415, "unsupported_media_type");
    let mut huge = PNG.to_vec();
    huge.resize(2 * 1024 * 1024 + 1, 0);
    send("kind=photo", "image/png", huge.clone()).await.expect_problem(413, "body_too_large");
    send("kind=film", "image/png", PNG.to_vec()).await.expect_problem(422, "invalid_input");
    huge.pop();
    let large = send("kind=photo", "image/png", huge).await.expect(201);
    assert_eq!(large["size"], 2 * 1024 * 1024);
    let proof = send("kind=signature&received_by=Asha", "image/png", PNG.to_vec()).await.expect(201);
    assert_eq!((&proof["kind"], &proof["received_by"]), (&json!("signature"), &json!("Asha")));
    assert_eq!(app.get(&at).await.expect(200)["items"], json!([large, proof]));

    let token = app.token_of("admin-1", Role::Admin);
    let answer = app.request(Method::GET, &path("proofs", &proof)).bearer_auth(token).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (200, "image/png")
    );
    assert_eq!(answer.bytes().await.unwrap(), PNG);
    // Sent again with its key, it is the same; a large one too.
    let repeated = async |body: Vec<u8>| {
        let request = app.request(Method::POST, &format!("{at}?kind=photo"));
        let token = app.token_of("admin-1", Role::Admin);
        let request = request.bearer_auth(token).header("idempotency-key", "proof-1");
        TestApp::read(request.header("content-type", "image/png").body(body)).await
    };
    let mut large = PNG.to_vec();
    large.resize(1_500_000, 7);
    let once = repeated(large.clone()).await.expect(201);
    let again = repeated(large.clone()).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.expect(201), once);
    repeated(PNG.to_vec()).await.expect_problem(422, "idempotency_key_reused");
    for _ in 3..10 {
        send("kind=photo", "image/png", PNG.to_vec()).await.expect(201);
    }
    send("kind=photo", "image/png", PNG.to_vec()).await.expect_problem(409, "enough_proofs");
    let audited = app.audited().await;
    assert_eq!(audited.iter().filter(|action| *action == "delivery.prove").count(), 10);
    app.get(&format!("/logistics/proofs/{NOBODY}")).await.expect_problem(404, "not_found");
    app.get(&format!("/logistics/delivery/{NOBODY}/proofs")).await.expect_problem(404, "not_found");
}
