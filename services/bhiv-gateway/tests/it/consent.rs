use std::time::{Duration, Instant};

use bhiv_auth::Role;
use bhiv_events::compliance::{ConsentGranted, ConsentRevoked};
use bhiv_events::core::AccessDenied;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::{ConsentApplied, Contract, Event};
use bhiv_outbox::Outcome;
use bhiv_testing::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::live::{open, read};
use crate::module::Module;
use crate::{app, app_with, prefix, replica_of};

/// What somebody says to `purpose`, the `sequence`th time.
fn said<C: Contract>(app: &TestApp, data: &C, sequence: i64) -> Event {
    Event { sequence, ..app.event(data) }
}

fn revoked(consent_id: Uuid, person: &str, purpose: &str) -> ConsentRevoked {
    ConsentRevoked { consent_id, person: person.to_owned(), purpose: purpose.to_owned() }
}

fn granted(consent_id: Uuid, person: &str, purpose: &str) -> ConsentGranted {
    let (person, purpose) = (person.to_owned(), purpose.to_owned());
    ConsentGranted { consent_id, person, purpose, notice_version: None }
}

async fn eventually_refused(app: &TestApp, lead: Uuid) -> Value {
    let path = format!("/crm/leads/{lead}");
    let refused = async || Some(app.patch(&path, json!({})).await).filter(|answer| answer.status == 403);
    app.eventually(refused).await.expect_problem(403, "consent_required")
}

async fn eventually_let_in(app: &TestApp, lead: Uuid) {
    let path = format!("/crm/leads/{lead}");
    app.eventually(async || (app.patch(&path, json!({})).await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdrew_consent_is_not_written_about_until_they_grant_it() {
    let module = Module::start().await;
    let mut app = app(&module).await;
    app.speak_as(Role::Sales);
    let (lead, other, consent) = (app.clock.id(), app.clock.id(), app.clock.id());
    let person = format!("lead/{lead}");
    let opportunity = json!({"lead_id": lead.to_string().to_uppercase(), "value": 7});
    app.post("/crm/opportunities", opportunity.clone()).await.expect(200);

    app.deliver_twice(&said(&app, &revoked(consent, &person, "contact"), 3)).await;
    let problem = eventually_refused(&app, lead).await;
    assert_eq!((&problem["subject"], &problem["purpose"]), (&json!(person), &json!("contact")));
    let grant = json!({
        "method": "POST",
        "href": "/consent/grant",
        "body": {"subject": person, "purpose": "contact"},
    });
    assert_eq!(problem["grant"], grant);
    app.post("/crm/opportunities", opportunity.clone()).await.expect_problem(403, "consent_required");
    let hidden = format!("/crm/lead%73/{}", lead.simple());
    let raw = raw_patch(&app, &hidden).await;
    assert!(raw.starts_with("HTTP/1.1 403"), "{raw}");

    // Others, other purposes, reads, and what people ask for themselves.
    app.patch(&format!("/crm/leads/{other}"), json!({})).await.expect(200);
    app.post("/task/tasks", json!({"reference": person})).await.expect(200);
    app.get(&format!("/crm/leads/{lead}")).await.expect(200);
    app.speak_as(Role::Admin);
    for path in ["/consent/grant", "/consent/revoke", "/compliance/erasure"] {
        app.post(path, json!({"subject": person, "purpose": "contact"})).await.expect(200);
    }

    // What was said before it, and comes late, does not count; what is said after it does.
    let late = app.deliver(&said(&app, &granted(consent, &person, "contact"), 2)).await;
    assert!(late.contains(&Outcome::Stale), "{late:?}");
    app.deliver_twice(&said(&app, &granted(consent, &person, "contact"), 4)).await;
    eventually_let_in(&app, lead).await;
    let seen = app.post("/crm/opportunities", opportunity.clone()).await.expect(200);
    assert_eq!(seen["body"], opportunity.to_string(), "the module gets what the client sent");

    // A yes to what nobody had said no to changes nothing, so there is nothing to tell of.
    app.deliver_twice(&said(&app, &granted(app.clock.id(), "lead/another", "contact"), 1)).await;
    let told = app.recorded_as::<ConsentApplied>().await;
    let told: Vec<_> = told.iter().map(|applied| (applied.consent_id, applied.state.as_str())).collect();
    assert_eq!(told, [(consent, "revoked"), (consent, "granted")]);

    let denied = app.eventually(async || {
        let denied = app.recorded_as::<AccessDenied>().await;
        (denied.len() >= 3).then_some(denied)
    });
    assert!(denied.await.iter().all(|denied| denied.code == "consent_required"));
}

/// A path that no client library would leave as it is.
async fn raw_patch(app: &TestApp, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = app.url.trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let token = app.token(Role::Sales);
    let head = format!("PATCH {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n");
    connection
        .write_all(format!("{head}connection: close\r\ncontent-length: 0\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdrew_processing_withdrew_everything() {
    let module = Module::start().await;
    let app = app(&module).await;
    let unified = json!({"task_id": "t", "user_id": "ravi", "event_type": "x", "consent_flag": true});
    app.post("/event/unified", unified.clone()).await.expect(201);
    app.deliver_twice(&app.event(&revoked(app.clock.id(), "user/ravi", "processing"))).await;
    let refused = async || {
        Some(app.post("/event/unified", unified.clone()).await).filter(|answer| answer.status == 403)
    };
    let problem = app.eventually(refused).await.expect_problem(403, "consent_required");
    assert_eq!((&problem["subject"], &problem["purpose"]), (&json!("user/ravi"), &json!("processing")));
    let other = json!({"task_id": "t", "user_id": "asha", "event_type": "x", "consent_flag": true});
    app.post("/event/unified", other).await.expect(201);
    let decide = json!({"query": "?", "context": {"user_id": "ravi"}});
    app.post("/bhiv/agent/decide", decide).await.expect_problem(403, "consent_required");
    let order = json!({"customer_id": "user/ravi", "items": []});
    app.post("/logistics/procurement", order).await.expect_problem(403, "consent_required");
    app.post("/logistics/orders", json!({"customer_id": "verma"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "it tells its figures")]
async fn a_revocation_takes_effect_at_every_replica_within_a_second() {
    const ROUNDS: usize = 50;
    let module = Module::start().await;
    let more = [format!("--redis-prefix={}", prefix()), "--rate-limits=address=none,user=none".to_owned()];
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    // Once each of them listens: until then they only look.
    let warm_up = first.clock.id();
    first.deliver(&first.event(&revoked(first.clock.id(), &format!("lead/{warm_up}"), "contact"))).await;
    eventually_refused(&first, warm_up).await;
    eventually_refused(&second, warm_up).await;

    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let lead = first.clock.id();
        let event = first.event(&revoked(first.clock.id(), &format!("lead/{lead}"), "contact"));
        second.patch(&format!("/crm/leads/{lead}"), json!({})).await.expect(200);
        first.deliver(&event).await;
        let began = Instant::now();
        let path = format!("/crm/leads/{lead}");
        while second.patch(&path, json!({})).await.status != 403 {
            assert!(began.elapsed() < Duration::from_secs(10), "it never takes effect");
        }
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let (median, p99) = (took[ROUNDS / 2], took[ROUNDS - 1]);
    eprintln!(
        "from the commit at one replica to the refusal at another: p50 {median:?}, worst of {ROUNDS} {p99:?}"
    );
    assert!(p99 < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_replicas_look_for_themselves_and_a_new_one_knows() {
    let module = Module::start().await;
    let more = ["--redis-url=redis://127.0.0.1:1/0".to_owned()];
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    let lead = first.clock.id();
    eventually_let_in(&second, lead).await;
    first.deliver_twice(&first.event(&revoked(first.clock.id(), &format!("lead/{lead}"), "contact"))).await;
    eventually_refused(&second, lead).await;
    let third = replica_of(&first, &module, &more);
    // It has not begun to read when it is asked, and waits.
    third.patch(&format!("/crm/leads/{lead}"), json!({})).await.expect_problem(403, "consent_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_knows_who_consents_writes_about_people_wait() {
    let module = Module::start().await;
    let app = app(&module).await;
    let mut conn = app.database.connect().await;
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, "ALTER TABLE consents RENAME TO gone")
        .await
        .unwrap();
    let replica = replica_of(&app, &module, &[]);
    let path = format!("/crm/leads/{}", app.clock.id());
    let problem = replica.patch(&path, json!({})).await.expect_problem(503, "unavailable");
    assert_eq!(problem["retry_after"], 5);
    replica.get("/events/stream").await.expect_problem(503, "unavailable");
    // Nobody else waits.
    replica.post("/crm/accounts", json!({})).await.expect(200);
    replica.get(&path).await.expect(200);
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, "ALTER TABLE gone RENAME TO consents")
        .await
        .unwrap();
    replica.eventually(async || (replica.patch(&path, json!({})).await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_do_not_show_who_withdrew() {
    let module = Module::start().await;
    let app = app(&module).await;
    let (hidden, shown) = (app.clock.id(), app.clock.id());
    app.deliver_twice(&app.event(&revoked(app.clock.id(), &format!("lead/{hidden}"), "streaming"))).await;
    app.deliver_twice(&app.event(&revoked(app.clock.id(), &format!("lead/{hidden}"), "contact"))).await;
    eventually_refused(&app, hidden).await;
    let leads = "?types=lead_created,lead_updated";
    let mut stream = open(&app, Role::Admin, leads, None).await;
    app.deliver_twice(&app.event(&LeadCreated { lead_id: hidden, ..LeadCreated::sample() })).await;
    app.deliver_twice(&app.event(&LeadUpdated { lead_id: shown, ..LeadUpdated::sample() })).await;
    assert_eq!(read(&mut stream, 1).await[0].1, "lead_updated");
    let mut again = open(&app, Role::Admin, leads, Some("0")).await;
    assert_eq!(read(&mut again, 1).await[0].1, "lead_updated", "not afterwards either");
    let mut told = open(&app, Role::Admin, "?types=consent_revoked", Some("0")).await;
    assert_eq!(read(&mut told, 2).await.len(), 2, "staff learn of the no");
}
