use chrono::TimeDelta;
use serde_json::json;

use crate::{app, lead, path};

#[tokio::test(flavor = "multi_thread")]
async fn people_note_what_they_did_and_what_is_to_be_done() {
    let app = app().await;
    let lead = lead(&app).await;
    let entity = format!("lead/{}", lead["id"].as_str().unwrap());
    let due = app.clock.now() + TimeDelta::hours(1);
    let call = json!({"entity": entity, "kind": "call", "summary": "Call about racks", "due_at": due});
    let call = app.post("/crm/activities", call).await.expect(201);
    let note = json!({"entity": entity, "kind": "note", "summary": "Likes blue", "body": "and green"});
    app.post("/crm/activities", note).await.expect(201);
    assert_eq!(app.get(&format!("/crm/activities?entity={entity}")).await.expect(200)["total"], 2);
    assert_eq!(app.get("/crm/activities?q=gree").await.expect(200)["total"], 1);
    assert_eq!(app.get("/crm/activities?kind=call&author=admin-1").await.expect(200)["items"], json!([call]));

    let later = (due + TimeDelta::seconds(1)).to_rfc3339().replace('+', "%2B");
    let open = format!("/crm/activities?due_before={later}");
    assert_eq!(app.get(&open).await.expect(200)["total"], 1);
    let done = app.patch(&path("activities", &call), json!({"done": true})).await.expect(200);
    assert!(done["done_at"].is_string());
    assert_eq!(app.get(&open).await.expect(200)["total"], 0);
    let history = app.get(&format!("{}/history", path("activities", &call))).await.expect(200);
    assert_eq!(history["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_about_a_record_that_is_there() {
    let app = app().await;
    let note = |entity: &str| json!({"entity": entity, "kind": "note", "summary": "x"});
    let nobody = "account/0190aaaa-0000-7000-8000-000000000001";
    let refused = app.post("/crm/activities", note(nobody)).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/entity");
    for bad in ["order/0190aaaa-0000-7000-8000-000000000001", "lead/7", "lead"] {
        app.post("/crm/activities", note(bad)).await.expect_problem(422, "invalid_input");
    }
    assert_eq!(app.audited().await, Vec::<String>::new());
}
