use bhiv_events::crm::LeadMerged;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{app, path, qualified};

async fn asha(app: &TestApp, email: &str, more: Value) -> Value {
    let mut new = json!({"name": "Asha Verma", "email": email});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/crm/leads", new).await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_looks_like_another_one_is_named_with_score_and_reasons() {
    let app = app().await;
    let first = asha(&app, "asha.verma@gmail.com", json!({"company": "Verma Textiles"})).await;
    assert_eq!(first["duplicates"], json!([]));
    let second = asha(&app, "ashaverma+fair@googlemail.com", json!({})).await;
    let [pair] = second["duplicates"].as_array().unwrap().as_slice() else { unreachable!("{second}") };
    assert_eq!((&pair["other_id"], &pair["reasons"]), (&first["id"], &json!(["email", "name"])));
    assert!(pair["score"].as_f64().unwrap() > 0.95);
    let third = asha(&app, "asha@work.example", json!({"company": "verma textiles"})).await;
    assert_eq!(third["duplicates"][0]["reasons"], json!(["name", "company"]));
    let stranger = json!({"name": "Ravi Kumar", "email": "ravi@example.com"});
    assert_eq!(app.post("/crm/leads", stranger).await.expect(201)["duplicates"], json!([]));

    let pairs = app.get("/crm/duplicates").await.expect(200);
    assert_eq!(pairs["total"], 2);
    assert_eq!(pairs["items"][0]["lead_id"], second["id"], "the surest first");
    let next = format!("/crm/duplicates?limit=1&cursor={}", cursor(&app, "/crm/duplicates?limit=1").await);
    assert_eq!(app.get(&next).await.expect(200)["items"][0]["lead_id"], third["id"]);
    let of = app.get(&format!("{}/duplicates", path("leads", &first))).await.expect(200);
    assert_eq!(of["items"].as_array().unwrap().len(), 2, "from either side");

    let dismiss = format!("{}/dismiss", path("leads", &first));
    app.post(&dismiss, json!({"other": third["id"]})).await.expect(204);
    app.post(&dismiss, json!({"other": third["id"]})).await.expect_problem(404, "not_found");
    assert_eq!(app.get("/crm/duplicates").await.expect(200)["total"], 1);
    let rename = json!({"name": "Asha Vermaa"});
    app.patch(&path("leads", &third), rename).await.expect(200);
    assert_eq!(app.get("/crm/duplicates").await.expect(200)["total"], 1, "what was dismissed stays so");
}

async fn cursor(app: &TestApp, path: &str) -> String {
    app.get(path).await.expect(200)["next_cursor"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_can_make_two_leads_alike_and_is_searched_for() {
    let app = app().await;
    let first = asha(&app, "asha@example.com", json!({"phone": "+91 98450 12345"})).await;
    let lead = json!({"name": "Ravi Kumar", "email": "ravi@example.com", "phone": "+91 98450 54321"});
    let second = app.post("/crm/leads", lead).await.expect(201);
    assert_eq!(second["duplicates"], json!([]));
    app.patch(&path("leads", &second), json!({"phone": "098450 12345"})).await.expect(200);
    let pairs = app.get("/crm/duplicates").await.expect(200);
    let pair = &pairs["items"][0];
    assert_eq!((&pair["lead_id"], &pair["other_id"]), (&second["id"], &first["id"]));
    assert_eq!(pair["reasons"], json!(["phone"]));

    app.patch(&path("leads", &second), json!({"name": "Ravi Menon"})).await.expect(200);
    let found =
        async |text: &str| app.get(&format!("/crm/leads?q={text}")).await.expect(200)["total"].clone();
    assert_eq!((found("menon").await, found("kumar").await), (json!(1), json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_ask_that_no_duplicate_is_made() {
    let app = app().await;
    let first = asha(&app, "asha@example.com", json!({})).await;
    let again = json!({"name": "A", "email": "Asha+1@example.com"});
    let refused = app.post("/crm/leads?duplicates=refuse", again.clone()).await;
    let problem = refused.expect_problem(409, "possible_duplicates");
    assert_eq!(problem["duplicates"][0]["other_id"], first["id"]);
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 1);
    assert_eq!(app.get("/crm/duplicates").await.expect(200)["total"], 0);
    app.post("/crm/leads", again).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_merged_and_a_merge_is_taken_back() {
    let app = app().await;
    let stays = asha(&app, "asha@example.com", json!({"source": "website"})).await;
    let ends = asha(&app, "asha@example.com", json!({"source": "fair", "phone": "12345678"})).await;
    let opportunity = json!({"lead_id": ends["id"], "value": 5});
    let opportunity = app.post("/crm/opportunities", opportunity).await.expect(201);
    let note =
        json!({"entity": format!("lead/{}", ends["id"].as_str().unwrap()), "kind": "note", "summary": "x"});
    let note = app.post("/crm/activities", note).await.expect(201);

    let merge = format!("{}/merge", path("leads", &stays));
    let merged = app.post(&merge, json!({"from": ends["id"]})).await.expect(200);
    assert_eq!((&merged["source"], &merged["phone"]), (&json!("website"), &json!("12345678")));
    let ended = app.get(&path("leads", &ends)).await.expect(200);
    assert_eq!(ended["merged_into"], stays["id"]);
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 1);
    let lead_of = async || app.get(&path("opportunities", &opportunity)).await.expect(200)["lead_id"].clone();
    let entity_of = async || app.get(&path("activities", &note)).await.expect(200)["entity"].clone();
    assert_eq!(lead_of().await, stays["id"]);
    assert_eq!(entity_of().await, format!("lead/{}", stays["id"].as_str().unwrap()));
    assert_eq!(app.get("/crm/duplicates").await.expect(200)["total"], 0);

    let again = app.post(&merge, json!({"from": ends["id"]})).await.expect_problem(409, "lead_merged");
    assert_eq!(again["merged_into"], stays["id"]);
    app.patch(&path("leads", &ends), json!({"name": "B"})).await.expect_problem(409, "lead_merged");

    // What was changed since stays.
    app.patch(&path("leads", &stays), json!({"need": "racks"})).await.expect(200);
    let back = app.post(&format!("{}/unmerge", path("leads", &ends)), json!({})).await.expect(200);
    assert_eq!((&back["merged_into"], &back["archived_at"]), (&json!(null), &json!(null)));
    let left = app.get(&path("leads", &stays)).await.expect(200);
    assert_eq!((&left["phone"], &left["need"]), (&json!(null), &json!("racks")));
    assert_eq!(lead_of().await, ends["id"]);
    assert_eq!(entity_of().await, format!("lead/{}", ends["id"].as_str().unwrap()));
    let told: Vec<_> = app.recorded_as::<LeadMerged>().await.into_iter().map(|it| it.merged).collect();
    assert_eq!(told, [true, false]);
    let again = app.post(&format!("{}/unmerge", path("leads", &ends)), json!({})).await;
    again.expect_problem(409, "lead_not_merged");
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_that_make_no_sense_are_refused() {
    let app = app().await;
    let lead = asha(&app, "a@example.com", json!({})).await;
    let merge = format!("{}/merge", path("leads", &lead));
    app.post(&merge, json!({"from": lead["id"]})).await.expect_problem(409, "merge_refused");
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    app.post(&merge, json!({"from": nobody})).await.expect_problem(422, "unknown_reference");
    let converted = qualified(&app, "b@example.com").await;
    app.post(&format!("{}/convert", path("leads", &converted)), json!({})).await.expect(200);
    app.post(&merge, json!({"from": converted["id"]})).await.expect_problem(409, "merge_refused");
}
