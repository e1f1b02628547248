use bhiv_events::crm::LeadConverted;
use serde_json::json;

use crate::{app, lead, path, qualified};

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_becomes_account_contact_and_opportunity_in_one_step() {
    let app = app().await;
    let lead = qualified(&app, "asha@example.com").await;
    let convert = format!("{}/convert", path("leads", &lead));
    let answer =
        app.post(&convert, json!({"opportunity": {"value": 500, "name": "Racks"}})).await.expect(200);
    assert_eq!(answer["lead"]["status"], "converted");
    assert_eq!(answer["account"]["name"], "Verma Textiles");
    assert_eq!(answer["contact"]["account_id"], answer["account"]["id"]);
    assert_eq!(answer["contact"]["lead_id"], lead["id"]);
    assert_eq!(answer["opportunity"]["contact_id"], answer["contact"]["id"]);
    assert_eq!(answer["opportunity"]["account_id"], answer["account"]["id"]);
    let [event] = app.recorded_as::<LeadConverted>().await.try_into().unwrap();
    assert_eq!(json!(event.account_id), answer["account"]["id"]);
    assert_eq!(json!(event.opportunity_id), answer["opportunity"]["id"]);
    let stories = app.recorded().await;
    assert!(stories.iter().all(|event| json!(event.correlationid) == lead["correlation_id"]), "one story");

    let again = app.post(&convert, json!({})).await.expect_problem(409, "illegal_transition");
    assert_eq!(again["allowed"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_reported_and_never_silently_made() {
    let app = app().await;
    let account = app.post("/crm/accounts", json!({"name": "verma textiles"})).await.expect(201);
    let contact = json!({"name": "A. Verma", "email": "asha@example.com", "account_id": account["id"]});
    let contact = app.post("/crm/contacts", contact).await.expect(201);
    let lead = qualified(&app, "asha@example.com").await;
    let convert = format!("{}/convert", path("leads", &lead));
    let told = app.recorded().await.len();
    let problem = app.post(&convert, json!({})).await.expect_problem(409, "possible_duplicates");
    let entities: Vec<_> = problem["duplicates"].as_array().unwrap().iter().map(|it| &it["entity"]).collect();
    let expected = [("account", &account), ("contact", &contact)]
        .map(|(kind, record)| json!(format!("{kind}/{}", record["id"].as_str().unwrap())));
    assert_eq!(entities, expected.iter().collect::<Vec<_>>());
    assert_eq!(problem["duplicates"][1]["reason"], "email");
    assert_eq!(app.recorded().await.len(), told, "nothing is made");

    let named = json!({"account_id": account["id"], "contact_id": contact["id"]});
    let answer = app.post(&convert, named).await.expect(200);
    assert_eq!((&answer["account"], &answer["opportunity"]), (&account, &json!(null)));
    assert_eq!(app.get("/crm/accounts").await.expect(200)["total"], 1);
    assert_eq!(app.get("/crm/contacts").await.expect(200)["total"], 1);

    let other = qualified(&app, "asha@example.com").await;
    let convert = format!("{}/convert", path("leads", &other));
    app.post(&convert, json!({"duplicates": "allow"})).await.expect(200);
    assert_eq!(app.get("/crm/accounts").await.expect(200)["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_makes_no_sense_changes_nothing() {
    let app = app().await;
    let new = lead(&app).await;
    let refused = app.post(&format!("{}/convert", path("leads", &new)), json!({})).await;
    refused.expect_problem(409, "illegal_transition");
    let lead = qualified(&app, "meera@example.com").await;
    let convert = format!("{}/convert", path("leads", &lead));
    let told = app.recorded().await.len();
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    for (body, pointer, code) in [
        (json!({"account_id": nobody}), "/account_id", "unknown_reference"),
        (json!({"contact_id": nobody}), "/contact_id", "unknown_reference"),
        (json!({"opportunity": {"value": 1, "stage": "won"}}), "/opportunity/stage", "closed_stage"),
        (
            json!({"opportunity": {"value": 1, "expected_close_date": "2001-01-01"}}),
            "/opportunity/expected_close_date",
            "past_date",
        ),
        (json!({"opportunity": {"value": -1}}), "/opportunity/value", "invalid_input"),
    ] {
        let problem = app.post(&convert, body).await.expect_problem(422, code);
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(app.get("/crm/accounts").await.expect(200)["total"], 0);
    assert_eq!(app.recorded().await.len(), told);
}
