use bhiv_events::compliance::{ConsentRevoked, ErasureRequested};
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::rl::EventScored;
use bhiv_events::{Contract as _, Event};
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::module::Module;
use crate::sessions::{login, register, with_sessions};
use crate::{app, app_with};

fn request(app: &TestApp, person: &str, also: &[&str]) -> ErasureRequested {
    let also = also.iter().map(|name| (*name).to_owned()).collect();
    ErasureRequested { erasure_id: app.clock.id(), person: person.to_owned(), also }
}

fn zylphia(lead_id: Uuid) -> LeadCreated {
    LeadCreated { lead_id, name: "Zylphia Quarrow".to_owned(), ..LeadCreated::sample() }
}

fn reported(user: &str) -> Value {
    json!({"task_id": "t-1", "user_id": user, "event_type": "order_reviewed", "consent_flag": true,
           "metadata": {"note": "by Zylphia Quarrow"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_whom_modules_told() {
    let module = Module::start().await;
    // Where nobody listens: what is to be delivered stays.
    let settings = ["--webhook-allow-http", "--webhook-allowed-networks=127.0.0.0/8"].map(str::to_owned);
    let app = app_with(&module, &settings).await;
    app.post("/event/subscribe", json!({"callback_url": "http://127.0.0.1:1/hook"})).await.expect(201);
    let (lead, other) = (app.clock.id(), app.clock.id());
    let person = format!("lead/{lead}");
    app.deliver_twice(&app.event(&zylphia(lead))).await;
    app.deliver_twice(&app.event(&LeadCreated { lead_id: other, ..LeadCreated::sample() })).await;
    let revoked =
        ConsentRevoked { consent_id: app.clock.id(), person: person.clone(), purpose: "contact".to_owned() };
    app.deliver_twice(&app.event(&revoked)).await;
    let theirs = app.post("/event/unified", reported(&person)).await.expect(201);
    let others = app.post("/event/unified", reported("ravi")).await.expect(201);
    let cause = theirs["event_id"].as_str().unwrap().parse().unwrap();
    app.deliver_twice(&Event { causationid: Some(cause), ..app.event(&EventScored::sample()) }).await;

    let needles = ["zylphia", "quarrow"];
    let told = app.erase(&request(&app, &person, &["Zylphia Quarrow"]), &needles).await;
    let removed = |what: &str| told.removed.iter().find(|it| it.what == what).map_or(0, |it| it.count);
    // The consent is among the latest events too.
    let counts = ["latest events", "deliveries of webhooks", "reported events", "consents"].map(removed);
    assert_eq!(counts, [2, 2, 1, 1], "{told:?}");
    let path = |unified: &Value| format!("/event/unified/{}", unified["id"].as_str().unwrap());
    app.get(&path(&theirs)).await.expect_problem(404, "not_found");
    let others = app.get(&path(&others)).await.expect(200);
    assert!(others.to_string().contains("by [erased]"), "{others}");
    assert_eq!(app.get("/event/events").await.expect(200)["items"].as_array().unwrap().len(), 2);

    // Late news.
    app.deliver(&app.event(&LeadUpdated { lead_id: lead, ..LeadUpdated::sample() })).await;
    app.deliver(&app.event(&zylphia(lead))).await;
    let again = ConsentRevoked { purpose: "streaming".to_owned(), ..revoked };
    app.deliver(&app.event(&again)).await;
    assert_eq!(app.get("/event/events").await.expect(200)["items"].as_array().unwrap().len(), 2);
    for row in app.database.rows_with(&lead.to_string()).await {
        assert!(row.starts_with("outbox "), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_forgotten_with_sessions_and_keys() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "ravi@example.com").await;
    let email = "zylphia@mailbox.example";
    let user = register(&app, email).await;
    app.patch(&format!("/auth/users/{user}"), json!({"name": "Zylphia Quarrow", "roles": ["manager"]}))
        .await
        .expect(200);
    let token = login(&app, email).await;
    let access = token["access_token"].as_str().unwrap();
    let with = |method, path: &str| app.request(method, path).bearer_auth(access);
    let key = json!({"name": "Zylphia's machine", "scopes": ["crm:read"]});
    let key = TestApp::read(with(Method::POST, "/auth/keys").json(&key)).await.expect(201);
    let hook = json!({"callback_url": "https://example.com/zylphia"});
    TestApp::read(with(Method::POST, "/event/subscribe").json(&hook)).await.expect(201);

    let told = app.erase(&request(&app, email, &[]), &["zylphia", "quarrow", email]).await;
    let removed: Vec<_> = told.removed.iter().map(|it| (it.what.as_str(), it.count)).collect();
    for what in [("users", 1), ("keys", 1), ("subscriptions", 1)] {
        assert!(removed.contains(&what), "{removed:?}");
    }
    app.eventually(async || {
        let status = TestApp::read(with(Method::GET, "/auth/me")).await.status;
        (status == 401).then_some(())
    })
    .await;
    app.eventually(async || {
        app.database.rows_with(&format!("sessions_to_end user_id={user}")).await.is_empty().then_some(())
    })
    .await;
    let refresh = json!({"refresh_token": token["refresh_token"]});
    let refresh = TestApp::read(app.request(Method::POST, "/auth/refresh").json(&refresh)).await;
    assert_eq!(refresh.status, 401);
    let again = json!({"email": email, "password": "correct horse"});
    let again = TestApp::read(app.request(Method::POST, "/auth/login").json(&again)).await;
    assert_eq!(again.status, 401, "nobody is called so");
    let machine = app.request(Method::GET, "/crm/leads").header("x-api-key", key["key"].as_str().unwrap());
    assert_eq!(TestApp::read(machine).await.status, 401);
    let ravi = json!({"email": "ravi@example.com", "password": "correct horse"});
    TestApp::read(app.request(Method::POST, "/auth/login").json(&ravi)).await.expect(200);
}
