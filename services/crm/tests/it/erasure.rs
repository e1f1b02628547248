use bhiv_events::Contract as _;
use bhiv_events::compliance::ErasureRequested;
use bhiv_events::logistics::{DeliveryDelayed, OrderCreated};
use bhiv_events::rl::LeadScored;
use bhiv_events::task::TaskCompleted;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, path};

/// Words that stand nowhere else.
const PERSON: [&str; 3] = ["zylphia", "zylphia.q@mailbox.example", "5550148317"];

fn zylphia() -> Value {
    json!({
        "name": "Zylphia Quarrow", "email": "Zylphia.Q@mailbox.example", "phone": "+44 5550148317",
        "budget": 1000, "authority": "decision_maker", "need": "a loom for Zylphia Quarrow", "timeline": "June",
    })
}

fn entity(kind: &str, record: &Value) -> String {
    format!("{kind}/{}", record["id"].as_str().unwrap())
}

fn request(app: &TestApp, person: String, also: Vec<String>) -> ErasureRequested {
    ErasureRequested { erasure_id: app.clock.id(), person, also }
}

async fn note(app: &TestApp, entity: String, summary: &str) {
    let note =
        json!({"entity": entity, "kind": "call", "summary": summary, "body": "zylphia.q@mailbox.example"});
    app.post("/crm/activities", note).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_who_is_forgotten_but_sums() {
    let app = app().await;
    let key = "the-same-request";
    let create = async || {
        let request = app.request(Method::POST, "/crm/leads").bearer_auth(app.token(bhiv_auth::Role::Admin));
        TestApp::read(request.header("idempotency-key", key).json(&zylphia())).await
    };
    let lead = create().await.expect(201);
    let double = app.post("/crm/leads", zylphia()).await.expect(201);
    let merge = format!("{}/merge", path("leads", &lead));
    app.post(&merge, json!({"from": double["id"]})).await.expect(200);
    app.patch(&path("leads", &lead), json!({"status": "qualified"})).await.expect(200);
    let convert = json!({"opportunity": {"value": 700, "name": "Zylphia Quarrow's loom"}});
    let converted = app.post(&format!("{}/convert", path("leads", &lead)), convert).await.expect(200);
    assert_eq!(converted["account"]["name"], "Zylphia Quarrow", "an account of the person alone");
    let opportunity = &converted["opportunity"];
    app.patch(&path("opportunities", opportunity), json!({"name": "Zylphia's loom"})).await.expect(200);
    let other =
        app.post("/crm/leads", json!({"name": "Ravi", "email": "ravi@example.com"})).await.expect(201);
    note(&app, entity("lead", &lead), "Zylphia was called").await;
    note(&app, entity("opportunity", opportunity), "her Zylphia-ness").await;
    note(&app, entity("lead", &other), "knows ZYLPHIA QUARROW").await;
    let done = TaskCompleted {
        reference: Some(entity("opportunity", opportunity)),
        title: "Call Zylphia Quarrow".to_owned(),
        ..TaskCompleted::sample()
    };
    app.deliver_twice(&app.event(&done)).await;

    let told = app.erase(&request(&app, entity("lead", &lead), Vec::new()), &PERSON).await;
    assert_eq!(told.person, entity("lead", &lead));
    let removed = |what: &str| told.removed.iter().find(|it| it.what == what).map_or(0, |it| it.count);
    assert_eq!((removed("leads"), removed("contacts"), removed("accounts")), (2, 1, 1), "{told:?}");
    assert_eq!((told.kept[0].what.as_str(), told.kept[0].count), ("opportunities", 1), "{told:?}");

    let kept = app.get(&path("opportunities", opportunity)).await.expect(200);
    assert_eq!(
        (&kept["value"], &kept["name"], &kept["stage"]),
        (&json!("700"), &Value::Null, &opportunity["stage"])
    );
    app.get(&path("leads", &lead)).await.expect_problem(404, "not_found");
    app.post(&format!("{}/convert", path("leads", &lead)), json!({})).await.expect_problem(404, "not_found");
    let on_it = json!({"entity": entity("lead", &lead), "kind": "note", "summary": "x"});
    app.post("/crm/activities", on_it).await.expect_problem(422, "unknown_reference");
    let ravis = app.get(&format!("/crm/activities?entity={}", entity("lead", &other))).await.expect(200);
    assert_eq!(ravis["items"][0]["summary"], "knows [erased]", "of others all else stays");
    let all = app.get("/crm/pipeline").await.expect(200);
    assert!(all.to_string().contains("700"), "{all}");
    create().await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 1, "the request is not run again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_were_can_still_be_read() {
    let app = app().await;
    let lead = app.post("/crm/leads", zylphia()).await.expect(201);
    let account = app.post("/crm/accounts", json!({"name": "Quarrow Looms"})).await.expect(201);
    // Ravi answered for her once, and has an address with hers in it.
    let new = json!({"name": "Ravi", "email": "zylphia.q@mailbox.example", "account_id": account["id"]});
    let ravi = app.post("/crm/contacts", new).await.expect(201);
    let path = path("contacts", &ravi);
    app.clock.advance(chrono::TimeDelta::seconds(1));
    let change = json!({"email": "desk.of.zylphia.q@mailbox.example"});
    let changed = app.patch(&path, change).await.expect(200);
    app.clock.advance(chrono::TimeDelta::seconds(1));
    let lost = json!({"email": "ravi@mailbox.example", "account_id": null});
    app.patch(&path, lost).await.expect(200);

    let also = vec![entity("account", &account), "zylphia.q@mailbox.example".to_owned()];
    app.erase(&request(&app, entity("lead", &lead), also), &PERSON[1..]).await;
    for state in [&ravi, &changed] {
        let then =
            app.get(&format!("{path}?as_of={}", state["updated_at"].as_str().unwrap())).await.expect(200);
        assert_eq!((&then["version"], &then["name"]), (&state["version"], &json!("Ravi")));
        assert_eq!(
            (&then["email"], &then["account_id"]),
            (&json!("erased@erased.invalid"), &json!(Uuid::nil()))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_news_do_not_bring_anybody_back() {
    let app = app().await;
    let lead = app.post("/crm/leads", zylphia()).await.expect(201);
    let order = OrderCreated {
        order_id: Uuid::from_u128(1),
        opportunity_id: None,
        customer_id: "zylphia-7".to_owned(),
        ..OrderCreated::sample()
    };
    app.deliver_twice(&app.event(&order)).await;
    let also = vec!["zylphia-7".to_owned(), "ZYLPHIA.Q@mailbox.example".to_owned()];
    let unknown = format!("user/{}", app.clock.id());
    app.erase(&request(&app, unknown, also), &["zylphia-7", "zylphia.q@mailbox.example"]).await;
    app.get(&path("leads", &lead)).await.expect_problem(404, "not_found");

    let rows = app.database.rows().await;
    let again = OrderCreated { order_id: Uuid::from_u128(2), ..order.clone() };
    app.deliver(&app.event(&again)).await;
    let lead_id = lead["id"].as_str().unwrap().parse().unwrap();
    app.deliver(&app.event(&LeadScored { lead_id, ..LeadScored::sample() })).await;
    let done = TaskCompleted {
        reference: Some(entity("lead", &lead)),
        title: "Call Zylphia".to_owned(),
        ..TaskCompleted::sample()
    };
    app.deliver(&app.event(&done)).await;
    let late = DeliveryDelayed { order_id: order.order_id, ..DeliveryDelayed::sample() };
    app.deliver(&app.event(&late)).await;
    let made: Vec<_> = app.database.rows().await;
    let made: Vec<_> = made
        .iter()
        .filter(|row| !rows.contains(row) && !row.starts_with("inbox ") && !row.starts_with("subject_seq "))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
    assert!(app.database.rows_with("zylphia").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_told_too() {
    let app = app().await;
    let told = app.erase(&request(&app, "nobody@mailbox.example".to_owned(), Vec::new()), &[]).await;
    assert!(told.removed.is_empty() && told.kept.is_empty(), "{told:?}");
    assert_eq!(told.person, format!("erasure/{}", told.erasure_id), "an address is not told");
    let address = app.database.rows_with("nobody@mailbox.example").await;
    assert!(address.is_empty(), "{address:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_imports_said_is_forgotten() {
    let app = TestApp::start::<crm::Crm>(crm::Config { import_check_ms: 20 }).await;
    let file =
        "name,email,budget\nZylphia Quarrow,zylphia.q@mailbox.example,5\nZylphia Quarrow,bad zylphia,-1\n";
    let request = app.request(Method::POST, "/crm/import?on_error=skip");
    let request = request.bearer_auth(app.token(bhiv_auth::Role::Admin)).header("content-type", "text/csv");
    let answer = TestApp::read(request.body(file)).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    answer.expect(202);
    app.eventually(async || (app.get(&location).await.expect(200)["status"] == "done").then_some(())).await;
    let also = vec!["zylphia.q@mailbox.example".to_owned()];
    let request = request_of(&app, also);
    app.erase(&request, &["quarrow", "zylphia.q@mailbox.example"]).await;
    let import = app.get(&location).await.expect(200);
    assert_eq!((&import["created"], &import["refused"]), (&json!(1), &json!(1)), "the counts stay");
}

fn request_of(app: &TestApp, also: Vec<String>) -> ErasureRequested {
    request(app, "Zylphia Quarrow".to_owned(), also)
}
