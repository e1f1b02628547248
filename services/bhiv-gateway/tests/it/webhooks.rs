use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::{ComplianceChecked, ConsentRevoked};
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::logistics::OrderCreated;
use bhiv_testing::{Answer, TestApp};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::module::Module;
use crate::receiver::Receiver;
use crate::{app_with, replica_of};

async fn app(module: &Module, more: &[&str]) -> TestApp {
    let mut settings =
        vec!["--webhook-allow-http".to_owned(), "--webhook-allowed-networks=127.0.0.0/8".to_owned()];
    settings.extend(more.iter().map(|&setting| setting.to_owned()));
    app_with(module, &settings).await
}

/// Registers Mina with this role, and answers the path of her user and a token of hers.
async fn mina(app: &TestApp, role: &str) -> (String, String) {
    let credentials = json!({"email": "mina@example.com", "password": "correct horse"});
    let new = json!({"email": "mina@example.com", "password": "correct horse", "name": "Mina"});
    let user = app.post("/auth/register", new).await.expect(201);
    let user = format!("/auth/users/{}", user["id"].as_str().unwrap());
    app.patch(&user, json!({"roles": [role]})).await.expect(200);
    let token = app.post("/auth/login", credentials).await.expect(200);
    (user, token["access_token"].as_str().unwrap().to_owned())
}

async fn subscribe_with(app: &TestApp, token: &str, url: &str) -> Value {
    let request = app.request(Method::POST, "/event/subscribe").bearer_auth(token);
    TestApp::read(request.json(&json!({"callback_url": url}))).await.expect(201)
}

fn ids(received: &[crate::receiver::Received]) -> Vec<Value> {
    received.iter().map(|received| received.event()["id"].clone()).collect()
}

async fn subscribe(app: &TestApp, url: &str, types: &[&str]) -> Value {
    let new = json!({"callback_url": url, "event_types": types});
    app.post("/event/subscribe", new).await.expect(201)
}

fn path(subscription: &Value) -> String {
    format!("/event/subscribe/{}", subscription["id"].as_str().unwrap())
}

/// The log of deliveries, the newest first, once it has `count` rows.
async fn log(app: &TestApp, subscription: &Value, count: usize) -> Vec<Value> {
    let path = format!("{}/deliveries", path(subscription));
    app.eventually(async || {
        let page = app.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        (items.len() >= count).then(|| items.clone())
    })
    .await
}

async fn created(app: &TestApp) -> bhiv_events::Event {
    let event = app.event(&LeadCreated::sample());
    app.deliver_twice(&event).await;
    event
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_arrives_once_and_signed() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let made = subscribe(&app, &format!("{}/ok", receiver.url), &["lead_created"]).await;
    let all = subscribe(&app, &format!("{}/all", receiver.url), &[]).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let updated = app.event(&LeadUpdated::sample());
    app.deliver_twice(&updated).await;
    let event = created(&app).await;

    let [done] = log(&app, &made, 1).await.try_into().unwrap();
    assert_eq!((&done["event_id"], &done["event_type"]), (&json!(event.id), &json!("lead_created")));
    assert_eq!(
        (&done["attempt"], &done["outcome"], &done["status_code"]),
        (&json!(1), &json!("delivered"), &json!(200))
    );
    let [received] = receiver.at("/ok").try_into().unwrap();
    assert_eq!(received.event(), serde_json::to_value(&event).unwrap());
    assert_eq!(received.header("webhook-id"), event.id.to_string());
    assert_eq!(received.header("webhook-timestamp"), app.clock.now().timestamp().to_string());
    assert_eq!(received.header("content-type"), "application/cloudevents+json");
    assert!(received.is_signed_with(&secret));
    assert!(!received.is_signed_with(all["secret"].as_str().unwrap()), "each has its own");
    log(&app, &all, 2).await;
    let mut all_ids = ids(&receiver.at("/all"));
    all_ids.sort_by_key(Value::to_string);
    assert_eq!(all_ids, [json!(updated.id), json!(event.id)]);

    for answer in [app.get("/event/subscribe").await, app.get(&path(&made)).await] {
        assert!(!answer.expect(200).to_string().contains("whsec_"), "it is shown once");
    }
    let page = app.get("/event/subscribe?limit=1").await.expect(200);
    assert_eq!((&page["items"][0]["id"], &page["total"]), (&all["id"], &json!(2)));
    assert!(!format!("{:?}", app.recorded().await).contains("whsec_"), "no event and no audit row has it");
    assert_eq!(app.audited().await, ["subscription.create"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_repeated_makes_one_subscription() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let ask = async || {
        let request = app.request(Method::POST, "/event/subscribe").bearer_auth(app.token(Role::Sales));
        let new = json!({"callback_url": format!("{}/ok", receiver.url)});
        TestApp::read(request.header("idempotency-key", "k-1").json(&new)).await.expect(201)
    };
    assert_eq!(ask().await, ask().await, "the secret too: the first answer may have been lost");
    assert_eq!(app.get("/event/subscribe").await.expect(200)["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_count_for_a_day() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let made = subscribe(&app, &format!("{}/ok", receiver.url), &[]).await;
    let rotated = app.post(&format!("{}/rotate-secret", path(&made)), json!({})).await.expect(200);
    let (old, new) = (made["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
    assert_ne!(old, new);
    created(&app).await;
    log(&app, &made, 1).await;
    app.clock.advance(TimeDelta::hours(25));
    created(&app).await;
    log(&app, &made, 2).await;
    let [during, after] = receiver.at("/ok").try_into().unwrap();
    assert!(during.is_signed_with(old) && during.is_signed_with(new));
    assert!(!after.is_signed_with(old) && after.is_signed_with(new));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_when_it_is_due() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let made = subscribe(&app, &format!("{}/busy", receiver.url), &["lead_created"]).await;
    created(&app).await;
    let first = log(&app, &made, 1).await.remove(0);
    assert_eq!((&first["outcome"], &first["status_code"]), (&json!("failed"), &json!(500)));
    let wait = time(&first["next_attempt_at"]) - time(&first["at"]);
    assert!((TimeDelta::seconds(5)..TimeDelta::seconds(6)).contains(&wait), "{wait}");
    assert!(app.get(&path(&made)).await.expect(200)["failing_since"].is_string());

    app.clock.advance(TimeDelta::seconds(6));
    let second = log(&app, &made, 2).await.remove(0);
    assert_eq!((&second["attempt"], &second["status_code"]), (&json!(2), &json!(503)));
    let wait = time(&second["next_attempt_at"]) - time(&second["at"]);
    assert!(wait >= TimeDelta::minutes(10), "the receiver said so: {wait}");

    app.clock.advance(TimeDelta::minutes(11));
    let third = log(&app, &made, 3).await.remove(0);
    assert_eq!((&third["outcome"], &third["next_attempt_at"]), (&json!("delivered"), &Value::Null));
    let ids: Vec<_> =
        receiver.at("/busy").iter().map(|received| received.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "the receiver knows repetitions by it");
    assert_eq!(app.get(&path(&made)).await.expect(200)["failing_since"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_who_is_gone_is_left_alone() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let made = subscribe(&app, &format!("{}/status/410", receiver.url), &[]).await;
    // Once: that they are gone is recorded while it would come again.
    app.deliver(&app.event(&LeadCreated::sample())).await;
    assert_eq!(log(&app, &made, 1).await[0]["outcome"], "gone");
    let state = app.get(&path(&made)).await.expect(200);
    assert_eq!((&state["enabled"], &state["disabled_because"]), (&json!(false), &json!("gone")));
    assert_eq!(app.audited().await.last().unwrap(), "subscription.disable");
    let test = app.post(&format!("{}/test", path(&made)), json!({})).await;
    test.expect_problem(409, "subscription_disabled");

    // What happens now is not sent later either.
    created(&app).await;
    let change =
        json!({"enabled": true, "callback_url": format!("{}/ok", receiver.url), "description": "again"});
    let state = app.patch(&path(&made), change).await.expect(200);
    assert_eq!((&state["enabled"], &state["disabled_because"]), (&json!(true), &Value::Null));
    let event = created(&app).await;
    log(&app, &made, 2).await;
    assert_eq!(ids(&receiver.at("/ok")), [json!(event.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_who_fails_for_days_is_left_alone() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &["--webhook-disable-after-days=2"]).await;
    let made = subscribe(&app, &format!("{}/status/500", receiver.url), &[]).await;
    created(&app).await;
    log(&app, &made, 1).await;
    app.clock.advance(TimeDelta::hours(47));
    log(&app, &made, 2).await;
    assert_eq!(app.get(&path(&made)).await.expect(200)["enabled"], true);
    app.clock.advance(TimeDelta::hours(1));
    log(&app, &made, 3).await;
    let state = app.get(&path(&made)).await.expect(200);
    assert_eq!((&state["enabled"], &state["disabled_because"]), (&json!(false), &json!("failing")));
    assert_eq!(app.audited().await.last().unwrap(), "subscription.disable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_belongs_to_whoever_made_it() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let mut app = app(&module, &["--webhooks-per-user=2"]).await;
    let url = format!("{}/ok", receiver.url);
    app.speak_as(Role::Sales);
    let made = subscribe(&app, &url, &[]).await;
    assert_eq!(made["owner"], "sales-1");
    subscribe(&app, &url, &[]).await;
    app.post("/event/subscribe", json!({"callback_url": url}))
        .await
        .expect_problem(409, "too_many_subscriptions");

    app.speak_as(Role::Support);
    let rotate = format!("{}/rotate-secret", path(&made));
    assert_eq!(app.get("/event/subscribe").await.expect(200)["total"], 0);
    let refused: [Answer; 5] = [
        app.get(&path(&made)).await,
        app.get(&format!("{}/deliveries", path(&made))).await,
        app.patch(&path(&made), json!({"enabled": false})).await,
        app.post(&rotate, json!({})).await,
        app.delete(&path(&made)).await,
    ];
    for answer in refused {
        answer.expect_problem(404, "not_found");
    }
    app.speak_as(Role::Viewer);
    let refused = app.post("/event/subscribe", json!({"callback_url": url})).await;
    refused.expect_problem(403, "permission_denied");

    app.speak_as(Role::Admin);
    assert_eq!(app.get("/event/subscribe").await.expect(200)["total"], 2);
    app.delete(&path(&made)).await.expect(204);
    app.get(&path(&made)).await.expect_problem(404, "not_found");
    assert_eq!(app.audited().await, ["subscription.create", "subscription.create", "subscription.delete"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_told_what_they_may_see_now() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let (user, token) = mina(&app, "compliance").await;
    let made = subscribe_with(&app, &token, &format!("{}/ok", receiver.url)).await;

    let checked = app.event(&ComplianceChecked::sample());
    app.deliver_twice(&checked).await;
    log(&app, &made, 1).await;
    app.patch(&user, json!({"roles": ["support"]})).await.expect(200);
    app.deliver_twice(&app.event(&ComplianceChecked::sample())).await;
    let event = created(&app).await;
    log(&app, &made, 2).await;
    app.patch(&user, json!({"disabled": true})).await.expect(200);
    created(&app).await;
    app.patch(&user, json!({"disabled": false})).await.expect(200);
    let last = created(&app).await;
    log(&app, &made, 3).await;
    assert_eq!(ids(&receiver.at("/ok")), [json!(checked.id), json!(event.id), json!(last.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_what_it_is_for_until_it_is_revoked() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let (_, token) = mina(&app, "sales").await;
    let new = json!({"name": "sync", "scopes": ["gateway:write", "logistics:read"]});
    let request = app.request(Method::POST, "/auth/keys").bearer_auth(&token).json(&new);
    let key = TestApp::read(request).await.expect(201);
    let made = subscribe_with(&app, key["key"].as_str().unwrap(), &format!("{}/ok", receiver.url)).await;
    // Mina may see leads, her key may not.
    created(&app).await;
    let order = app.event(&OrderCreated::sample());
    app.deliver_twice(&order).await;
    log(&app, &made, 1).await;
    let revoke = app.request(Method::DELETE, &format!("/auth/keys/{}", key["id"].as_str().unwrap()));
    TestApp::read(revoke.bearer_auth(&token)).await.expect(204);
    app.deliver_twice(&app.event(&OrderCreated::sample())).await;
    let witness = subscribe(&app, &format!("{}/witness", receiver.url), &[]).await;
    app.deliver_twice(&app.event(&OrderCreated::sample())).await;
    log(&app, &witness, 1).await;
    assert_eq!(ids(&receiver.at("/ok")), [json!(order.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_people_who_said_no() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let hidden = LeadCreated { lead_id: app.clock.id(), ..LeadCreated::sample() };
    let before = app.event(&hidden);
    app.deliver_twice(&before).await;
    let path = format!("/event/events/{}", before.id);
    app.get(&path).await.expect(200);
    let (consent_id, person) = (app.clock.id(), format!("lead/{}", hidden.lead_id));
    let no = ConsentRevoked { consent_id, person, purpose: "streaming".to_owned() };
    app.deliver_twice(&app.event(&no)).await;
    app.eventually(async || (app.get(&path).await.status == 404).then_some(())).await;

    let made = subscribe(&app, &format!("{}/ok", receiver.url), &["lead_created"]).await;
    app.deliver_twice(&app.event(&hidden)).await;
    let shown = created(&app).await;
    log(&app, &made, 1).await;
    assert_eq!(ids(&receiver.at("/ok")), [json!(shown.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_replicas_one_delivers() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let settings = ["--webhook-allow-http", "--webhook-allowed-networks=127.0.0.0/8"].map(str::to_owned);
    let app = app_with(&module, &settings).await;
    let _others = [replica_of(&app, &module, &settings), replica_of(&app, &module, &settings)];
    let made = subscribe(&app, &format!("{}/ok", receiver.url), &[]).await;
    let mut sent = Vec::new();
    for _ in 0..30 {
        sent.push(json!(created(&app).await.id));
    }
    let attempts = log(&app, &made, 30).await;
    assert!(attempts.iter().all(|attempt| attempt["attempt"] == 1), "{attempts:#?}");
    let mut received = ids(&receiver.at("/ok"));
    received.sort_by_key(Value::to_string);
    assert_eq!(received, sent, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_who_lost_a_role_is_not_told_what_waited() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let mut app = app(&module, &[]).await;
    app.speak_as(Role::Compliance);
    let made =
        subscribe(&app, &format!("{}/status/500", receiver.url), &["compliance_checked", "lead_created"])
            .await;
    app.deliver_twice(&app.event(&ComplianceChecked::sample())).await;
    log(&app, &made, 1).await;
    let mut conn = app.context.read().await.unwrap();
    let change = diesel::sql_query("UPDATE subscriptions SET roles = '{viewer}'");
    diesel_async::RunQueryDsl::execute(change, &mut conn).await.unwrap();
    app.clock.advance(TimeDelta::seconds(10));
    created(&app).await;
    let [lead, checked] = log(&app, &made, 2).await.try_into().unwrap();
    assert_eq!((&lead["event_type"], &checked["attempt"]), (&json!("lead_created"), &json!(1)));
    assert_eq!(receiver.at("/status/500").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_not_sent_to() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app_with(&module, &["--webhook-allow-http".to_owned()]).await;
    for url in [&receiver.url, "http://2130706433/", "http://[::ffff:127.0.0.1]/", "https://169.254.169.254/"]
    {
        let problem = app.post("/event/subscribe", json!({"callback_url": url})).await;
        let problem = problem.expect_problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/callback_url", "{url}");
    }
    // What a name stands for is known when it is connected to.
    let by_name = receiver.url.replace("127.0.0.1", "localhost");
    let made = subscribe(&app, &by_name, &[]).await;
    app.post(&format!("{}/test", path(&made)), json!({})).await.expect(200);
    let failed = log(&app, &made, 1).await.remove(0);
    assert_eq!((&failed["outcome"], &failed["status_code"]), (&json!("failed"), &Value::Null));
    assert_eq!(failed["error"], "is no address of the public internet");
    // A URL that was allowed once, as when the operator has closed a network.
    let mut conn = app.context.read().await.unwrap();
    let text = format!("UPDATE subscriptions SET callback_url = '{}/'", receiver.url);
    diesel_async::RunQueryDsl::execute(diesel::sql_query(text), &mut conn).await.unwrap();
    app.post(&format!("{}/test", path(&made)), json!({})).await.expect(200);
    assert_eq!(log(&app, &made, 2).await[0]["error"], "must be an address of the public internet");
    assert!(receiver.at("/").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_event_arrives_and_redirects_are_not_followed() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &[]).await;
    let good = subscribe(&app, &format!("{}/good", receiver.url), &["lead_created"]).await;
    let sent = app.post(&format!("{}/test", path(&good)), json!({})).await.expect(200);
    assert_eq!(log(&app, &good, 1).await[0]["event_id"], sent["event_id"]);
    let [received] = receiver.at("/good").try_into().unwrap();
    let event: bhiv_events::Event = serde_json::from_slice(&received.body).unwrap();
    assert_eq!((event.name().as_str(), &event.data["subscription_id"]), ("webhook_test", &good["id"]));

    let redirected = subscribe(&app, &format!("{}/redirect", receiver.url), &[]).await;
    app.post(&format!("{}/test", path(&redirected)), json!({})).await.expect(200);
    let failed = log(&app, &redirected, 1).await.remove(0);
    assert_eq!((&failed["status_code"], &failed["outcome"]), (&json!(302), &json!("failed")));
    assert!(receiver.at("/ok").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_who_does_not_answer_holds_nobody_up() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let settings = ["--webhook-concurrency=3", "--webhook-concurrency-each=2", "--webhook-timeout-ms=60000"];
    let app = app(&module, &settings).await;
    subscribe(&app, &format!("{}/never", receiver.url), &[]).await;
    let good = subscribe(&app, &format!("{}/ok", receiver.url), &[]).await;
    for _ in 0..20 {
        created(&app).await;
    }
    log(&app, &good, 20).await;
    assert_eq!(receiver.at("/ok").len(), 20);
    assert_eq!(receiver.at("/never").len(), 2, "no more than two at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_has_a_time_to_answer_in() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &["--webhook-timeout-ms=200"]).await;
    let made = subscribe(&app, &format!("{}/never", receiver.url), &[]).await;
    created(&app).await;
    let failed = log(&app, &made, 1).await.remove(0);
    assert_eq!((&failed["error"], &failed["status_code"]), (&json!("took too long"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_subscription_is_told() {
    let module = Module::start().await;
    let app = app(&module, &[]).await;
    let bad =
        json!({"callback_url": "nonsense", "event_types": ["lead_created", "nonsense"], "secret": "mine"});
    let problem = app.post("/event/subscribe", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/callback_url", "/event_types/1", "/secret"]);
    assert!(errors[1]["message"].as_str().unwrap().contains("order_created"), "{problem:#}");
    let with_password = json!({"callback_url": "https://ravi:secret@example.com/"});
    app.post("/event/subscribe", with_password).await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_finishes_is_taken_up_again() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let app = app(&module, &["--webhook-timeout-ms=60000"]).await;
    let made = subscribe(&app, &format!("{}/not-at-first", receiver.url), &[]).await;
    let event = created(&app).await;
    app.eventually(async || (receiver.at("/not-at-first").len() == 1).then_some(())).await;
    app.clock.advance(TimeDelta::seconds(90));
    created(&app).await;
    log(&app, &made, 1).await;
    assert!(!ids(&receiver.at("/not-at-first"))[1..].contains(&json!(event.id)), "it may still be under way");
    app.clock.advance(TimeDelta::seconds(30));
    let second = log(&app, &made, 2).await.remove(0);
    assert_eq!((&second["event_id"], &second["attempt"]), (&json!(event.id), &json!(2)));
    assert_eq!(second["outcome"], "delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_forgotten_after_a_week() {
    let (module, receiver) = (Module::start().await, Receiver::start().await);
    let settings = ["--webhook-allow-http", "--webhook-allowed-networks=127.0.0.0/8"].map(str::to_owned);
    let app = app_with(&module, &settings).await;
    let made = subscribe(&app, &format!("{}/ok", receiver.url), &[]).await;
    created(&app).await;
    log(&app, &made, 1).await;
    app.clock.advance(TimeDelta::days(6));
    created(&app).await;
    log(&app, &made, 2).await;
    app.clock.advance(TimeDelta::days(2));
    // It looks at once, the other one every minute.
    let _other = replica_of(&app, &module, &settings);
    let path = format!("{}/deliveries", path(&made));
    app.eventually(async || (app.get(&path).await.expect(200)["total"] == 1).then_some(())).await;
}
