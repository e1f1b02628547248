use serde_json::json;

use crate::{app, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_works_at_an_account_and_can_be_changed() {
    let app = app().await;
    let account = app.post("/crm/accounts", json!({"name": "Verma Textiles"})).await.expect(201);
    let new = json!({"name": "Asha Verma", "email": "asha@example.com", "title": "Buyer",
                     "account_id": account["id"]});
    let contact = app.post("/crm/contacts", new).await.expect(201);
    let path = path("contacts", &contact);
    assert_eq!(app.get(&path).await.expect(200), contact);
    let listed = format!("/crm/contacts?account_id={}&q=buy+ash", account["id"].as_str().unwrap());
    assert_eq!(app.get(&listed).await.expect(200)["items"], json!([contact]));

    let changed = app.patch(&path, json!({"title": null, "do_not_contact": true})).await.expect(200);
    assert_eq!((&changed["title"], &changed["do_not_contact"]), (&json!(null), &json!(true)));
    let history = app.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["title"], json!({"before": "Buyer", "after": null}));
    assert_eq!(app.audited().await, ["account.create", "contact.create", "contact.update"]);

    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    let refused = app.patch(&path, json!({"account_id": nobody})).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/account_id");
    let bulk = json!({"ids": [contact["id"], nobody], "change": {"owner": "ravi"}});
    let answer = app.post("/crm/contacts/bulk", bulk).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(1), &json!(1)));
}
