use serde_json::json;

use crate::app;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_form_a_tree() {
    let app = app().await;
    let parent = app.post("/crm/accounts", json!({"name": "Group"})).await.expect(201);
    let child =
        json!({"name": "Daughter", "type": "partner", "parent_id": parent["id"], "territory": "West"});
    let child = app.post("/crm/accounts", child).await.expect(201);
    assert_eq!(child["status"], "active");
    let page = app.get(&format!("/crm/accounts?parent_id={}", parent["id"].as_str().unwrap())).await;
    assert_eq!(page.expect(200)["items"], json!([child]));

    let path = format!("/crm/accounts/{}", child["id"].as_str().unwrap());
    let itself = app.patch(&path, json!({"parent_id": child["id"]})).await;
    assert_eq!(itself.expect_problem(422, "invalid_input")["errors"][0]["pointer"], "/parent_id");
    let freed = app.patch(&path, json!({"parent_id": null, "status": "inactive"})).await.expect(200);
    assert_eq!((&freed["parent_id"], &freed["status"]), (&json!(null), &json!("inactive")));
    assert_eq!(app.recorded_names().await, ["account_changed"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_id_names_one_account() {
    let app = app().await;
    app.post("/crm/accounts", json!({"name": "A", "customer_id": "c-1"})).await.expect(201);
    let again = app.post("/crm/accounts", json!({"name": "B", "customer_id": "c-1"})).await;
    again.expect_problem(409, "customer_id_taken");
    let other = app.post("/crm/accounts", json!({"name": "B", "customer_id": "c-2"})).await.expect(201);
    let path = format!("/crm/accounts/{}", other["id"].as_str().unwrap());
    app.patch(&path, json!({"customer_id": "c-1"})).await.expect_problem(409, "customer_id_taken");
}
