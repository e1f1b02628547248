//! Persons are forgotten: by every module, once, with a certificate.

use bhiv_auth::Role;
use bhiv_events::compliance::{ErasureAnnounced, ErasureCancelled, ErasureCompleted, ErasureRequested};
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::{Contract as _, Event, Kept, PersonErased, Producer, Removed, dataschema};
use bhiv_signing::{JwkSet, PublicKeys};
use bhiv_testing::TestApp;
use chrono::{TimeDelta, Timelike as _};
use compliance::{Compliance, Config};
use serde_json::{Value, json};

use crate::{app, check_of, grant, standing};

const LEAD: &str = "lead/0190aaaa-0000-7000-8000-000000000001";

/// With a key to sign with.
pub async fn signing() -> TestApp {
    TestApp::start_with::<Compliance>(|key| Config {
        compliance_signing_key_file: Some(key.to_owned()),
        compliance_controller: "Example Ltd".to_owned(),
        ..quick()
    })
    .await
}

fn quick() -> Config {
    Config { timer_check_ms: 20, ..Config::default() }
}

/// What a module says when it has erased.
fn answer(app: &TestApp, producer: Producer, erasure: &Value, removed: i64) -> Event {
    let kind = PersonErased::kind(producer);
    let told = PersonErased {
        erasure_id: erasure["id"].as_str().unwrap().parse().unwrap(),
        person: erasure["subject"].as_str().unwrap().to_owned(),
        removed: vec![Removed { what: "records".to_owned(), count: removed }],
        kept: vec![Kept { what: "orders".to_owned(), count: 2, why: "Accounts have to be kept".to_owned() }],
    };
    Event {
        source: producer.source().to_owned(),
        type_: kind.type_.to_owned(),
        dataschema: dataschema(kind.type_),
        ..app.event(&told)
    }
}

fn others() -> impl Iterator<Item = Producer> {
    Producer::ALL.into_iter().filter(|producer| *producer != Producer::Compliance)
}

pub async fn answer_all(app: &TestApp, erasure: &Value) {
    for (removed, producer) in (1..).zip(others()) {
        app.deliver_twice(&answer(app, producer, erasure, removed)).await;
    }
}

fn path(erasure: &Value) -> String {
    format!("/compliance/erasure/{}", erasure["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_module_is_asked_and_its_answer_is_seen() {
    let app = app().await;
    let new =
        json!({"subject": LEAD, "also": ["asha@example.com", "asha@example.com", LEAD], "reason": "Asked"});
    let answered = app.post("/compliance/erasure", new).await;
    let location = answered.headers["location"].to_str().unwrap().to_owned();
    let erasure = answered.expect(202);
    assert_eq!(location, path(&erasure));
    assert_eq!(
        (&erasure["status"], &erasure["regime"], &erasure["also"]),
        (&json!("running"), &json!("gdpr"), &json!([])),
        "the modules know the names, and nobody else needs them"
    );
    assert_eq!(
        (&erasure["erase_at"], &erasure["started_at"]),
        (&erasure["created_at"], &erasure["created_at"])
    );
    assert_eq!(app.recorded_names().await, ["erasure_requested", "person_erased"]);
    let [told] = app.recorded_as::<ErasureRequested>().await.try_into().unwrap();
    assert_eq!(
        (told.person.as_str(), told.also.as_slice()),
        (LEAD, ["asha@example.com".to_owned()].as_slice())
    );
    assert_eq!(app.audited().await, ["erasure.request", "erasure.begin", "person.erase"]);
    let recorded = app.recorded().await;
    let audits = recorded.iter().filter(|event| event.name() == "audit_recorded");
    assert!(audits.clone().all(|audit| !audit.data.to_string().contains("asha")), "audit rows stay");
    assert!(recorded.iter().all(|event| json!(event.correlationid) == erasure["correlation_id"]));

    let crm = answer(&app, Producer::Crm, &erasure, 3);
    app.deliver_twice(&crm).await;
    // It says so again, in other words and another message: what it said first stands.
    app.deliver_twice(&answer(&app, Producer::Crm, &erasure, 9)).await;
    let seen = app.get(&location).await.expect(200);
    let module = |name: &str| {
        let modules = seen["modules"].as_array().unwrap();
        modules.iter().find(|module| module["module"] == name).unwrap().clone()
    };
    assert_eq!(seen["modules"].as_array().unwrap().len(), Producer::ALL.len());
    assert_eq!(module("crm")["removed"], json!([{"what": "records", "count": 3}]));
    assert_eq!(module("crm")["kept"][0]["why"], "Accounts have to be kept");
    assert!(module("compliance")["answered_at"].is_string(), "it does its own part at once");
    assert_eq!((&module("rl")["answered_at"], &module("rl")["removed"]), (&json!(null), &json!([])));
    assert_eq!(seen["status"], "running");

    let list = app.get(&format!("/compliance/erasure?status=running&subject={LEAD}")).await.expect(200);
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &erasure["id"]));
    assert_eq!(app.get("/compliance/erasure?status=completed").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_last_one_has_answered_there_is_a_certificate() {
    let app = signing().await;
    let new = json!({"subject": LEAD, "also": ["asha@example.com"]});
    let erasure = app.post("/compliance/erasure", new).await.expect(202);
    let certificate = format!("{}/certificate", path(&erasure));
    let problem = app.get(&certificate).await.expect_problem(409, "erasure_not_completed");
    assert_eq!(problem["waiting_for"], json!(["crm", "logistics", "task", "rl", "logging", "core"]));

    app.clock.advance(TimeDelta::minutes(5));
    answer_all(&app, &erasure).await;
    let done = app.get(&path(&erasure)).await.expect(200);
    assert_eq!((&done["status"], &done["also"]), (&json!("completed"), &json!([])), "names are not kept");
    let [told] = app.recorded_as::<ErasureCompleted>().await.try_into().unwrap();
    assert_eq!((told.person.as_str(), told.modules.len()), (LEAD, Producer::ALL.len()));
    assert_eq!(app.audited().await.last().unwrap(), "erasure.complete");

    let signed = app.get(&certificate).await.expect(200);
    let keys = TestApp::read(app.request(reqwest::Method::GET, "/compliance/keys")).await.expect(200);
    let keys = PublicKeys::new(serde_json::from_value::<JwkSet>(keys).unwrap());
    let jws = signed["jws"].as_str().unwrap();
    let content: Value = keys.open("erasure-certificate+jwt", jws).unwrap();
    assert_eq!(content, signed["content"]);
    assert_eq!((&content["iss"], &content["sub"]), (&json!("Example Ltd"), &json!(LEAD)));
    assert_eq!((&content["jti"], &content["modules"]), (&erasure["id"], &done["modules"]));
    assert_eq!(app.get(&certificate).await.expect(200), signed, "it is the same whenever it is read");
    let mut forged = jws.to_owned();
    forged.replace_range(forged.len() - 4.., "AAAA");
    assert!(keys.open::<Value>("erasure-certificate+jwt", &forged).is_err());

    // Who is forgotten can be forgotten again: there may be new data.
    app.post("/compliance/erasure", json!({"subject": LEAD})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn compliance_keeps_what_has_to_be_provable_and_no_more() {
    let app = app().await;
    let person = LeadUpdated::sample().subject();
    let said = json!({"subject": person, "purpose": "contact", "evidence": {"ip": "198.51.100.7"}});
    app.post("/consent/grant", said).await.expect(201);
    grant(&app, "asha@example.com", "contact").await;
    let other = json!({"subject": "lead/2", "purpose": "contact", "evidence": "by asha@example.com"});
    app.post("/consent/grant", other).await.expect(201);
    let event = Event { actor: "user/asha".to_owned(), ..app.event(&LeadUpdated::sample()) };
    app.deliver_twice(&event).await;

    let new = json!({"subject": person, "also": ["asha@example.com", "user/asha"]});
    let erasure = app.post("/compliance/erasure", new).await.expect(202);
    let modules = erasure["modules"].as_array().unwrap();
    let own = modules.iter().find(|module| module["module"] == "compliance").unwrap();
    assert_eq!(
        own["removed"],
        json!([
            {"what": "events kept for trials", "count": 1},
            {"what": "evidence of consents", "count": 2},
            {"what": "names in consents", "count": 1},
            {"what": "names in records of who did what", "count": 1},
        ])
    );
    app.publish_all().await;
    for needle in ["asha", "198.51.100.7"] {
        assert_eq!(app.database.rows_with(needle).await, [""; 0]);
    }
    let kept = own["kept"].as_array().unwrap();
    assert_eq!((&kept[0]["what"], &kept[0]["count"]), (&json!("consents"), &json!(2)));
    assert_eq!((&kept[1]["what"], &kept[1]["count"]), (&json!("checks"), &json!(1)));

    let left = standing(&app, &person).await;
    assert_eq!(
        (&left["records"][0]["action"], &left["records"][0]["evidence"]),
        (&json!("granted"), &json!(null))
    );
    assert_eq!(standing(&app, "asha@example.com").await["records"], json!([]));
    let pseudonym = format!("erasure/{}/1", erasure["id"].as_str().unwrap());
    assert_eq!(standing(&app, &pseudonym).await["records"][0]["action"], "granted");
    let actor = format!("erasure/{}/2", erasure["id"].as_str().unwrap());
    assert_eq!(check_of(&app, &event).await["actor"], json!(actor));
    assert_eq!(standing(&app, "lead/2").await["records"][0]["evidence"], "by [erased]");

    // Late news of them makes nothing.
    let late = app.event(&LeadCreated { lead_id: LeadUpdated::sample().lead_id, ..LeadCreated::sample() });
    app.deliver_twice(&late).await;
    assert_eq!(standing(&app, &person).await["records"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_dpdp_it_begins_once_after_notice_of_48_hours() {
    let app = TestApp::start::<Compliance>(quick()).await;
    let other = TestApp::replica_of::<Compliance>(&app, |_| quick());
    let new = |subject: &str| json!({"subject": subject, "regime": "dpdp"});
    let erasure = app.post("/compliance/erasure", new(LEAD)).await.expect(202);
    let called_off = app.post("/compliance/erasure", new("lead/2")).await.expect(202);
    let at = app.clock.now() + TimeDelta::hours(48);
    assert_eq!((&erasure["status"], &erasure["erase_at"]), (&json!("announced"), &json!(at)));
    let announced = app.recorded_as::<ErasureAnnounced>().await;
    assert_eq!(announced.iter().map(|told| told.person.as_str()).collect::<Vec<_>>(), [LEAD, "lead/2"]);
    assert_eq!((announced[0].regime.as_str(), announced[0].erase_at), ("dpdp", at));
    let cancelled = app.post(&format!("{}/cancel", path(&called_off)), json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let [told] = app.recorded_as::<ErasureCancelled>().await.try_into().unwrap();
    assert_eq!((json!(told.erasure_id), told.person.as_str()), (called_off["id"].clone(), "lead/2"));

    other.clock.advance(TimeDelta::hours(49));
    app.eventually(async || {
        (app.get(&path(&erasure)).await.expect(200)["status"] == "running").then_some(())
    })
    .await;
    assert_eq!(
        app.recorded_names().await,
        ["erasure_announced", "erasure_announced", "erasure_cancelled", "erasure_requested", "person_erased"]
    );
    let problem = app.post(&format!("{}/cancel", path(&erasure)), json!({})).await;
    problem.expect_problem(409, "illegal_transition");
    // Another one that is due comes through after it: had the first been begun twice, it would show by now.
    let second = app.post("/compliance/erasure", new("lead/3")).await.expect(202);
    app.clock.advance(TimeDelta::hours(49));
    app.eventually(async || (app.get(&path(&second)).await.expect(200)["status"] == "running").then_some(()))
        .await;
    let told = app.recorded_as::<ErasureRequested>().await;
    let persons: Vec<_> = told.iter().map(|told| told.person.as_str()).collect();
    assert_eq!(persons, [LEAD, "lead/3"]);
    assert_eq!(app.clock.now().hour(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_refuses_and_delays() {
    let mut app = TestApp::start::<Compliance>(quick()).await;
    let announced =
        app.post("/compliance/erasure", json!({"subject": LEAD, "regime": "dpdp"})).await.expect(202);
    let hold = json!({"subject": LEAD, "reason": "Case 12 of 2027"});
    let placed = app.post("/compliance/holds", hold.clone()).await;
    let location = placed.headers["location"].to_str().unwrap().to_owned();
    let placed = placed.expect(201);
    assert_eq!(app.get(&location).await.expect(200), placed);
    let also = json!({"subject": "contact/9", "also": [LEAD]});
    let problem = app.post("/compliance/erasure", also).await.expect_problem(409, "legal_hold");
    assert_eq!(problem["hold_id"], placed["id"]);
    assert!(problem["detail"].as_str().unwrap().contains("Case 12 of 2027"));

    app.clock.advance(TimeDelta::hours(49));
    let status = async |wanted: &str| {
        app.eventually(async || {
            let seen = app.get(&path(&announced)).await.expect(200);
            (seen["status"] == wanted).then_some(seen)
        })
        .await
    };
    assert_eq!(status("held").await["hold_id"], placed["id"]);
    let released = app.post(&format!("{location}/release"), json!({})).await.expect(200);
    assert_eq!(released["released_by"], "user/admin-1");
    assert_eq!(status("running").await["hold_id"], json!(null));
    let problem = app.post(&format!("{location}/release"), json!({})).await;
    problem.expect_problem(409, "hold_released");
    app.post("/compliance/holds", hold.clone()).await.expect_problem(409, "erasure_under_way");
    let standing = app.get("/compliance/holds?standing=true").await.expect(200);
    assert_eq!(standing["total"], 0);
    assert_eq!(
        app.audited().await,
        [
            "erasure.request",
            "hold.place",
            "erasure.hold",
            "hold.release",
            "erasure.resume",
            "erasure.begin",
            "person.erase"
        ]
    );

    app.speak_as(Role::Manager);
    let problem = app.post("/compliance/holds", hold).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "compliance:admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_erased_is_refused_and_changes_nothing() {
    let mut app = app().await;
    let bad = json!({"subject": "", "also": ["x", ""], "regime": "hipaa", "when": "now"});
    let problem = app.post("/compliance/erasure", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/also/1", "/regime", "/subject", "/when"]);
    assert_eq!(app.recorded().await, []);

    let erasure = app.post("/compliance/erasure", json!({"subject": LEAD})).await.expect(202);
    let again = app.post("/compliance/erasure", json!({"subject": "x", "also": [LEAD]})).await;
    assert_eq!(again.expect_problem(409, "erasure_under_way")["erasure_id"], erasure["id"]);

    // Whatever they are known as, and once it has begun.
    let new = json!({"subject": "asha@example.com", "also": ["user/asha"]});
    let begun = app.post("/compliance/erasure", new).await.expect(202);
    assert_eq!(begun["status"], "running");
    for name in ["Asha@Example.com", "user/asha"] {
        let again = app.post("/compliance/erasure", json!({"subject": name})).await;
        assert_eq!(again.expect_problem(409, "erasure_under_way")["erasure_id"], begun["id"], "{name}");
        let hold = app.post("/compliance/holds", json!({"subject": name, "reason": "Case 13"})).await;
        hold.expect_problem(409, "erasure_under_way");
    }
    answer_all(&app, &begun).await;
    app.post("/compliance/holds", json!({"subject": "user/asha", "reason": "Case 13"})).await.expect(201);
    let held = app.post("/compliance/erasure", json!({"subject": "User/Asha"})).await;
    held.expect_problem(409, "legal_hold");
    app.post("/compliance/erasure", json!({"subject": "asha@example.com"})).await.expect(202);

    let missing = "/compliance/erasure/0190aaaa-0000-7000-8000-0000000000ff";
    app.get(missing).await.expect_problem(404, "not_found");
    app.post(&format!("{missing}/cancel"), json!({})).await.expect_problem(404, "not_found");
    app.get(&format!("{missing}/certificate")).await.expect_problem(404, "not_found");
    let recorded = app.recorded().await.len();

    // An answer to what nobody asked is no reason to stop.
    let nobody = json!({"id": "0190aaaa-0000-7000-8000-0000000000ff", "subject": "lead/9"});
    app.deliver_twice(&answer(&app, Producer::Crm, &nobody, 1)).await;
    assert_eq!(app.recorded().await.len(), recorded);

    app.speak_as(Role::Manager);
    let problem = app.post("/compliance/erasure", json!({"subject": "lead/2"})).await;
    let problem = problem.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "compliance:write");
    app.get(&path(&erasure)).await.expect(200);
    app.speak_as(Role::Sales);
    app.get("/compliance/erasure").await.expect_problem(403, "permission_denied");
    assert_eq!(app.recorded().await.len(), recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_all_but_signing_goes_on() {
    let app = app().await;
    let erasure = app.post("/compliance/erasure", json!({"subject": LEAD})).await.expect(202);
    answer_all(&app, &erasure).await;
    assert_eq!(app.get(&path(&erasure)).await.expect(200)["status"], "completed");
    for path in [format!("{}/certificate", path(&erasure)), "/compliance/keys".to_owned()] {
        let problem = app.get(&path).await.expect_problem(503, "signing_key_missing");
        assert!(problem["detail"].as_str().unwrap().contains("COMPLIANCE_SIGNING_KEY_FILE"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_with_the_key_before_can_still_be_checked() {
    let before = signing().await;
    let dir = tempfile::tempdir().unwrap();
    let jwks = dir.path().join("jwks.json");
    let published = before.get("/compliance/keys").await.expect(200);
    std::fs::write(&jwks, published.to_string()).unwrap();
    let app = TestApp::start_with::<Compliance>(|key| Config {
        compliance_signing_key_file: Some(key.to_owned()),
        compliance_jwks_file: Some(jwks.clone()),
        ..quick()
    })
    .await;
    let keys = app.get("/compliance/keys").await.expect(200);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    let keys = PublicKeys::new(serde_json::from_value::<JwkSet>(keys).unwrap());
    for app in [before, app] {
        let record = grant(&app, LEAD, "contact").await;
        let receipt = format!("/compliance/receipts/{}", record["id"].as_str().unwrap());
        let receipt = app.get(&receipt).await.expect(200);
        keys.open::<Value>("consent-receipt+jwt", receipt["jws"].as_str().unwrap()).unwrap();
    }
}
