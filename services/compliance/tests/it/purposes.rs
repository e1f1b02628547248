//! Purposes, the notices that persons are shown, and the receipts that they get.

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::{ConsentGranted, ConsentRevoked};
use bhiv_events::crm::LeadUpdated;
use bhiv_signing::{JwkSet, PublicKeys};
use bhiv_testing::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use compliance::{Compliance, Config};
use serde_json::{Value, json};

use crate::{app, check_of, grant, notice, revoke, standing};

fn quick() -> Config {
    Config { timer_check_ms: 20, ..Config::default() }
}

async fn signing() -> TestApp {
    TestApp::start_with::<Compliance>(|key| Config {
        compliance_signing_key_file: Some(key.to_owned()),
        compliance_controller: "Example Ltd".to_owned(),
        ..quick()
    })
    .await
}

async fn keys(app: &TestApp) -> PublicKeys {
    let keys = app.get("/compliance/keys").await.expect(200);
    PublicKeys::new(serde_json::from_value::<JwkSet>(keys).unwrap())
}

fn receipt_of(record: &Value) -> String {
    format!("/compliance/receipts/{}", record["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn purposes_have_versions() {
    let app = app().await;
    let list = app.get("/compliance/purposes").await.expect(200);
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|purpose| &purpose["id"]).collect();
    assert_eq!(ids, ["analytics", "automated_decisions", "contact", "marketing", "newsletter", "profiling"]);
    let new = json!({"id": "surveys", "name": "Surveys", "description": "To be asked", "valid_days": 30,
                     "data_categories": ["email"], "recipients": ["Survey Ltd"]});
    let answer = app.post("/compliance/purposes", new.clone()).await;
    assert_eq!(answer.headers["location"], "/compliance/purposes/surveys");
    let first = answer.expect(201);
    assert_eq!((&first["lawful_basis"], &first["version"]), (&json!("consent"), &json!(1)));
    app.post("/compliance/purposes", new).await.expect_problem(409, "purpose_exists");

    let change = json!({"name": "Questions", "valid_days": null});
    let second = app.patch("/compliance/purposes/surveys", change.clone()).await.expect(200);
    assert_eq!((&second["version"], &second["valid_days"]), (&json!(2), &json!(null)));
    assert_eq!(app.patch("/compliance/purposes/surveys", change).await.expect(200), second, "no change");
    assert_eq!(app.get("/compliance/purposes/surveys").await.expect(200), second);
    let versions = app.get("/compliance/purposes/surveys/versions").await.expect(200);
    assert_eq!(versions["items"], json!([second, first]));
    assert_eq!(app.audited().await, ["purpose.create", "purpose.update"]);

    app.get("/compliance/purposes/nothing").await.expect_problem(404, "not_found");
    app.get("/compliance/purposes/nothing/versions").await.expect_problem(404, "not_found");
    app.patch("/compliance/purposes/nothing", json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_there_once_and_stays_as_it_is() {
    let app = app().await;
    let new = json!({"purpose": "contact", "version": "2027-01", "language": "en", "text": "abc"});
    let answer = app.post("/compliance/notices", new.clone()).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let notice = answer.expect(201);
    assert_eq!(notice["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(app.get(&location).await.expect(200), notice);
    let problem = app.post("/compliance/notices", new).await.expect_problem(409, "notice_exists");
    assert_eq!(problem["errors"][0]["pointer"], "/version");
    app.patch(&location, json!({"text": "x"})).await.expect_problem(405, "method_not_allowed");
    let hindi = json!({"purpose": "contact", "version": "2027-01", "language": "hi-IN", "text": "अ"});
    app.post("/compliance/notices", hindi).await.expect(201);
    let lists = async |query: &str| {
        app.get(&format!("/compliance/notices?{query}")).await.expect(200)["total"].clone()
    };
    assert_eq!(lists("purpose=contact&version=2027-01").await, 2);
    assert_eq!(lists("language=en").await, 1);
    assert_eq!(lists("purpose=newsletter").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_registered_is_refused_and_nothing_is_stored() {
    let mut app = app().await;
    notice(&app, "newsletter", "1").await;
    let tomorrow = app.clock.now() + TimeDelta::days(1);
    let late = json!({"purpose": "contact", "version": "2", "language": "en", "text": "x",
                      "valid_from": tomorrow});
    app.post("/compliance/notices", late).await.expect(201);
    app.patch("/compliance/purposes/marketing", json!({"enabled": false})).await.expect(200);
    let recorded = app.recorded().await.len();
    let refused = async |path: &str, body: Value, status, code: &str, pointer: Option<&str>| {
        let problem = app.post(path, body).await.expect_problem(status, code);
        assert_eq!(problem["errors"][0]["pointer"].as_str(), pointer, "{problem:#}");
    };
    let grant = "/consent/grant";
    let said = |purpose: &str| json!({"subject": "lead/1", "purpose": purpose});
    refused(grant, said("flying"), 422, "unknown_purpose", Some("/purpose")).await;
    refused("/consent/revoke", said("flying"), 422, "unknown_purpose", Some("/purpose")).await;
    refused(grant, said("marketing"), 409, "purpose_retired", None).await;
    for version in ["1", "2", "3"] {
        let said = json!({"subject": "lead/1", "purpose": "contact", "notice_version": version});
        refused(grant, said, 422, "unknown_notice", Some("/notice_version")).await;
    }
    let over = json!({"subject": "lead/1", "purpose": "contact", "expires_at": app.clock.now()});
    refused(grant, over, 422, "invalid_input", Some("/expires_at")).await;
    let orphan = json!({"purpose": "flying", "version": "1", "language": "en", "text": "x"});
    refused("/compliance/notices", orphan, 422, "unknown_purpose", Some("/purpose")).await;
    let bad = json!({"purpose": "contact", "version": "", "language": "English", "text": ""});
    let problem = app.post("/compliance/notices", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/language", "/text", "/version"]);
    let bad = json!({"id": "By Phone", "name": "", "description": "x", "valid_days": 0});
    let problem = app.post("/compliance/purposes", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/id", "/name", "/valid_days"]);
    assert_eq!(app.recorded().await.len(), recorded);
    assert_eq!(standing(&app, "lead/1").await["records"], json!([]));

    app.clock.advance(TimeDelta::days(2));
    let said = json!({"subject": "lead/1", "purpose": "contact", "notice_version": "2"});
    app.post(grant, said).await.expect(201);

    app.speak_as(Role::Manager);
    let purpose = json!({"id": "x", "name": "x", "description": "x"});
    let notice = json!({"purpose": "contact", "version": "9", "language": "en", "text": "x"});
    for (path, body) in [("/compliance/purposes", purpose), ("/compliance/notices", notice)] {
        let problem = app.post(path, body).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "compliance:admin");
    }
    app.get("/compliance/purposes").await.expect(200);
    app.speak_as(Role::Sales);
    app.get("/compliance/notices").await.expect_problem(403, "permission_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_ends_by_itself_once() {
    let app = TestApp::start::<Compliance>(quick()).await;
    let other = TestApp::replica_of::<Compliance>(&app, |_| quick());
    let person = LeadUpdated::sample().subject();
    app.patch("/compliance/purposes/contact", json!({"valid_days": 10})).await.expect(200);
    let in_five = app.clock.now() + TimeDelta::days(5);
    let said = json!({"subject": person, "purpose": "contact", "expires_at": in_five});
    let record = app.post("/consent/grant", said).await.expect(201);
    assert_eq!((&record["expires_at"], &record["purpose_version"]), (&json!(in_five), &json!(2)));
    let later = grant(&app, "lead/2", "contact").await;
    assert_eq!(later["expires_at"], json!(app.clock.now() + TimeDelta::days(10)));
    let renewed = json!({"subject": "lead/3", "purpose": "newsletter", "expires_at": in_five});
    app.post("/consent/grant", renewed).await.expect(201);
    grant(&app, "lead/3", "newsletter").await;
    let withdrawn = json!({"subject": "lead/4", "purpose": "newsletter", "expires_at": in_five});
    app.post("/consent/grant", withdrawn).await.expect(201);
    revoke(&app, "lead/4", "newsletter").await;

    other.clock.advance(TimeDelta::days(6));
    let state = async |person: &str, purpose: usize| {
        standing(&app, person).await["purposes"][purpose]["state"].clone()
    };
    app.eventually(async || (state(&person, 0).await == "expired").then_some(())).await;
    app.clock.advance(TimeDelta::days(6));
    app.eventually(async || (state("lead/2", 0).await == "expired").then_some(())).await;
    assert_eq!((state("lead/3", 0).await, state("lead/4", 0).await), (json!("granted"), json!("withdrawn")));
    let revoked = app.recorded_as::<ConsentRevoked>().await;
    let persons: Vec<_> = revoked.iter().map(|revoked| revoked.person.as_str()).collect();
    assert_eq!(persons, ["lead/4", &person, "lead/2"], "each is told once");
    let expired = &standing(&app, &person).await["records"][0];
    assert_eq!(
        (&expired["action"], &expired["expired"], &expired["version"], &expired["actor"]),
        (&json!("withdrawn"), &json!(true), &json!(2), &json!("service/compliance"))
    );

    // Who is not to be contacted any more is not worked on.
    let event = app.event(&LeadUpdated::sample());
    app.deliver_twice(&event).await;
    assert_eq!(check_of(&app, &event).await["rules"][0]["id"], "withdrawn-consent");

    let day = |days| (app.clock.now() - TimeDelta::days(days)).date_naive();
    let report = format!("/compliance/audit-report?start_date={}&end_date={}", day(20), day(0));
    let counts = &app.get(&report).await.expect(200)["consents"];
    assert_eq!((&counts["expired"], &counts["withdrawn"]), (&json!(2), &json!(1)));
    // They may agree again.
    assert_eq!(grant(&app, &person, "contact").await["version"], 3);
    assert_eq!(app.recorded_as::<ConsentGranted>().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_can_be_checked_without_the_service() {
    let app = signing().await;
    let notice = notice(&app, "contact", "2027-01").await;
    let ends: DateTime<Utc> = app.clock.now() + TimeDelta::days(5);
    let said = json!({"subject": "lead/1", "purpose": "contact", "notice_version": "2027-01",
                      "expires_at": ends, "evidence": "a signature"});
    let record = app.post("/consent/grant", said).await.expect(201);
    let signed = app.get(&receipt_of(&record)).await.expect(200);
    let content =
        keys(&app).await.open::<Value>("consent-receipt+jwt", signed["jws"].as_str().unwrap()).unwrap();
    assert_eq!(content, signed["content"]);
    assert_eq!(
        (&content["schema_version"], &content["pii_principal_id"], &content["pii_controllers"]),
        (&json!("ISO/IEC TS 27560:2023"), &json!("lead/1"), &json!(["Example Ltd"]))
    );
    assert_eq!((&content["record_id"], &content["consent_id"]), (&record["id"], &record["consent_id"]));
    assert_eq!(
        content["privacy_notice"],
        json!({"version": "2027-01", "texts": [{
            "notice_id": notice["id"], "language": "en", "sha256": notice["sha256"]}]})
    );
    assert_eq!(
        content["event"],
        json!({"event_time": record["created_at"], "expires_at": ends, "event_state": "granted",
               "entity_id": "user/admin-1", "source_event": null})
    );
    assert!(!content.to_string().contains("a signature"), "what shows it stays here");
    let changed = json!({"description": "Something else"});
    app.patch("/compliance/purposes/contact", changed).await.expect(200);
    assert_eq!(app.get(&receipt_of(&record)).await.expect(200), signed, "it is as it was");
    let withdrawn = revoke(&app, "lead/1", "contact").await;
    let signed = app.get(&receipt_of(&withdrawn)).await.expect(200);
    assert_eq!(signed["content"]["event"]["event_state"], "withdrawn");
    assert_eq!(signed["content"]["purposes"][0]["description"], "Something else");
    let missing = "/compliance/receipts/0190aaaa-0000-7000-8000-0000000000ff";
    app.get(missing).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_needs_a_key_and_a_permission() {
    let mut app = app().await;
    let record = grant(&app, "lead/1", "contact").await;
    app.get(&receipt_of(&record)).await.expect_problem(503, "signing_key_missing");
    app.speak_as(Role::Sales);
    app.get(&receipt_of(&record)).await.expect_problem(403, "permission_denied");
}
