use serde_json::{Value, json};

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

    let grandchild = json!({"name": "Granddaughter", "parent_id": child["id"]});
    let grandchild = app.post("/crm/accounts", grandchild).await.expect(201);
    let tree = async |account: &Value| {
        let path = format!("/crm/accounts/{}/tree", account["id"].as_str().unwrap());
        app.get(&path).await.expect(200)
    };
    let whole = json!({"above": [], "account": parent, "below": [child, grandchild], "truncated": false});
    assert_eq!(tree(&parent).await, whole);
    let last = tree(&grandchild).await;
    assert_eq!((&last["above"], &last["below"]), (&json!([parent, child]), &json!([])));
    let nobody = app.get("/crm/accounts/0190aaaa-0000-7000-8000-000000000001/tree").await;
    nobody.expect_problem(404, "not_found");

    let path = format!("/crm/accounts/{}", child["id"].as_str().unwrap());
    let itself = app.patch(&path, json!({"parent_id": child["id"]})).await;
    itself.expect_problem(409, "account_cycle");
    let top = format!("/crm/accounts/{}", parent["id"].as_str().unwrap());
    let circle =
        app.patch(&top, json!({"parent_id": child["id"]})).await.expect_problem(409, "account_cycle");
    let says = circle["detail"].as_str().unwrap();
    assert!(says.contains(child["id"].as_str().unwrap()) && says.contains("belongs to"), "{says}");
    let freed = app.patch(&path, json!({"parent_id": null, "status": "inactive"})).await.expect(200);
    assert_eq!((&freed["parent_id"], &freed["status"]), (&json!(null), &json!("inactive")));
    assert_eq!(app.recorded_names().await, ["account_changed"; 4]);
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

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_sorted_and_read_as_they_were() {
    let app = app().await;
    for (name, territory) in [("Verma Textiles", "West"), ("Asha & Sons", "East"), ("Verma Motors", "West")] {
        app.post("/crm/accounts", json!({"name": name, "territory": territory})).await.expect(201);
    }
    let names = async |query: &str| {
        let page = app.get(&format!("/crm/accounts?{query}")).await.expect(200);
        let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        json!(names)
    };
    assert_eq!(names("q=verm&sort=name").await, json!(["Verma Motors", "Verma Textiles"]));
    assert_eq!(names("territory=East").await, json!(["Asha & Sons"]));
    assert_eq!(names("sort=-name&limit=1").await, json!(["Verma Textiles"]));
    let account = app.get("/crm/accounts?q=asha").await.expect(200)["items"][0].clone();
    let path = crate::path("accounts", &account);
    app.patch(&path, json!({"website": "asha.example"})).await.expect(200);
    let history = app.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["website"], json!({"before": null, "after": "asha.example"}));
    let ids = json!({"ids": [account["id"]], "change": {"status": "inactive"}});
    assert_eq!(app.post("/crm/accounts/bulk", ids).await.expect(200)["succeeded"], 1);
    assert_eq!(app.get("/crm/accounts?status=inactive").await.expect(200)["total"], 1);
}
