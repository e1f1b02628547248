//! Sellers see their own and their team's: the token names the team, and what the gateway shows itself is chosen by it.

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::live::read;
use crate::module::Module;
use crate::receiver::Receiver;
use crate::sessions::{login, register, with_sessions};
use crate::{app, app_with, ws};

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_says_who_works_in_which_team_and_the_next_token_says_so() {
    let module = Module::start().await;
    let app = app(&module).await;
    with_sessions(&app, "first@example.com").await;
    let id = register(&app, "ravi@example.com").await;
    let user = format!("/auth/users/{id}");
    let change = json!({"team": "north", "roles": ["sales"]});
    assert_eq!(app.patch(&user, change).await.expect(200)["team"], "north");
    let token = login(&app, "ravi@example.com").await;
    let access = token["access_token"].as_str().unwrap();
    let me = TestApp::read(app.request(Method::GET, "/auth/me").bearer_auth(access)).await.expect(200);
    assert_eq!(me["team"], "north");

    // A key does what its owner does, and a carried on session knows the newest team.
    let key = app.request(Method::POST, "/auth/keys").bearer_auth(access);
    let key = key.json(&json!({"name": "importer", "scopes": ["crm:read", "gateway:read"]}));
    let key = TestApp::read(key).await.expect(201);
    let me = app.request(Method::GET, "/auth/me").header("x-api-key", key["key"].as_str().unwrap());
    let me = TestApp::read(me).await.expect(200);
    assert_eq!((&me["team"], &me["owner"]), (&json!("north"), &json!(id)));
    app.patch(&user, json!({"team": null})).await.expect(200);
    let refresh = json!({"refresh_token": token["refresh_token"]});
    let token = TestApp::read(app.request(Method::POST, "/auth/refresh").json(&refresh)).await.expect(200);
    let access = token["access_token"].as_str().unwrap();
    let me = TestApp::read(app.request(Method::GET, "/auth/me").bearer_auth(access)).await.expect(200);
    assert_eq!(me["team"], json!(null));
}

fn lead(app: &TestApp, owner: Option<&str>, team: Option<&str>) -> LeadCreated {
    let (owner, team) = (owner.map(str::to_owned), team.map(str::to_owned));
    LeadCreated { lead_id: app.clock.id(), owner, team, ..LeadCreated::sample() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_is_shown_events_about_records_that_they_may_see() {
    let module = Module::start().await;
    let app = app(&module).await;
    let token = app.token_in_team("ravi", Role::Sales, "north");
    let request = app.request(Method::GET, "/events/stream").bearer_auth(&token);
    let mut stream = request.send().await.unwrap();
    assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"retry:"));
    app.deliver_twice(&app.event(&lead(&app, Some("asha"), Some("south")))).await;
    app.deliver_twice(&app.event(&lead(&app, Some("asha"), None))).await;
    let shown = [
        app.event(&lead(&app, Some("ravi"), None)),
        app.event(&lead(&app, Some("asha"), Some("north"))),
        app.event(&lead(&app, None, None)),
    ];
    for event in &shown {
        app.deliver_twice(event).await;
    }
    app.deliver_twice(&app.event(&LeadUpdated { owner: None, ..LeadUpdated::sample() })).await;
    let names: Vec<_> = read(&mut stream, 4).await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["lead_created", "lead_created", "lead_created", "lead_updated"]);

    let request = app.request(Method::GET, "/event/events?event_type=lead_created").bearer_auth(&token);
    let listed = TestApp::read(request).await.expect(200);
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, shown.iter().rev().map(|event| json!(event.id)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_what_its_owner_may_see_in_the_team_where_they_are_now() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let settings = ["--webhook-allow-http", "--webhook-allowed-networks=127.0.0.0/8"].map(str::to_owned);
    let app = app_with(&module, &settings).await;
    let id = register(&app, "ravi@example.com").await;
    let user = format!("/auth/users/{id}");
    app.patch(&user, json!({"team": "north", "roles": ["sales"]})).await.expect(200);
    let token = login(&app, "ravi@example.com").await["access_token"].as_str().unwrap().to_owned();
    let new = json!({"callback_url": format!("{}/ok", receiver.url), "event_types": ["lead_created"]});
    let made = app.request(Method::POST, "/event/subscribe").bearer_auth(&token).json(&new);
    let made = TestApp::read(made).await.expect(201);
    let tell = async |hidden: &str, shown: &str| {
        let hidden = app.event(&lead(&app, Some("asha"), Some(hidden)));
        app.deliver_twice(&hidden).await;
        let shown = app.event(&lead(&app, Some("asha"), Some(shown)));
        app.deliver_twice(&shown).await;
        app.eventually(async || has(&receiver, &json!(shown.id)).then_some(())).await;
        hidden.id
    };
    let never = tell("south", "north").await;
    app.patch(&user, json!({"team": "south"})).await.expect(200);
    let nor_this = tell("north", "south").await;
    // Whatever was to be told has been told or was left out.
    let path = format!("/event/subscribe/{}/deliveries", made["id"].as_str().unwrap());
    app.eventually(async || (app.get(&path).await.expect(200)["total"] == 2).then_some(())).await;
    assert!(!has(&receiver, &json!(never)) && !has(&receiver, &json!(nor_this)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_shows_a_seller_what_a_stream_does() {
    let module = Module::start().await;
    let app = app(&module).await;
    let token = app.token_in_team("ravi", Role::Sales, "north");
    let mut socket = ws::open(&app, &token, "?types=lead_created").await;
    app.deliver_twice(&app.event(&lead(&app, Some("asha"), Some("south")))).await;
    app.deliver_twice(&app.event(&lead(&app, Some("asha"), None))).await;
    let shown = [
        app.event(&lead(&app, Some("ravi"), None)),
        app.event(&lead(&app, Some("asha"), Some("north"))),
        app.event(&lead(&app, None, None)),
    ];
    for event in &shown {
        app.deliver_twice(event).await;
        assert_eq!(ws::text(&mut socket).await["data"]["id"], json!(event.id), "and nothing before it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_key_is_told_what_the_owner_of_the_key_may_see() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let settings = ["--webhook-allow-http", "--webhook-allowed-networks=127.0.0.0/8"].map(str::to_owned);
    let app = app_with(&module, &settings).await;
    let id = register(&app, "ravi@example.com").await;
    let user = format!("/auth/users/{id}");
    app.patch(&user, json!({"team": "north", "roles": ["sales"]})).await.expect(200);
    let token = login(&app, "ravi@example.com").await["access_token"].as_str().unwrap().to_owned();
    let key = json!({"name": "importer", "scopes": ["crm:read", "gateway:read", "gateway:write"]});
    let key = TestApp::read(app.request(Method::POST, "/auth/keys").bearer_auth(&token).json(&key)).await;
    let key = key.expect(201)["key"].as_str().unwrap().to_owned();
    let new = json!({"callback_url": format!("{}/ok", receiver.url), "event_types": ["lead_created"]});
    let made = app.request(Method::POST, "/event/subscribe").header("x-api-key", key).json(&new);
    TestApp::read(made).await.expect(201);
    let hidden = [("asha", Some("south")), ("asha", None)]
        .map(|(owner, team)| app.event(&lead(&app, Some(owner), team)));
    let shown = [("asha", Some("north")), (id.as_str(), None)]
        .map(|(owner, team)| app.event(&lead(&app, Some(owner), team)));
    for event in hidden.iter().chain(&shown) {
        app.deliver_twice(event).await;
    }
    for event in &shown {
        app.eventually(async || has(&receiver, &json!(event.id)).then_some(())).await;
    }
    // Each delivery that waited is over.
    app.eventually(async || app.database.rows_with("webhook_deliveries ").await.is_empty().then_some(()))
        .await;
    assert!(hidden.iter().all(|event| !has(&receiver, &json!(event.id))));
}

fn has(receiver: &Receiver, id: &serde_json::Value) -> bool {
    receiver.at("/ok").iter().any(|call| call.event()["id"] == *id)
}
