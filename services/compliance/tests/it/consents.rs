use std::collections::BTreeSet;

use bhiv_auth::Role;
use bhiv_events::compliance::{ConsentGranted, ConsentRevoked};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{ConsentApplied, Contract as _, Event, Producer, dataschema};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{app, grant, notice, revoke, say, standing};

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_recorded_with_its_event_and_its_audit_row() {
    let app = app().await;
    notice(&app, "contact", "2026-01").await;
    let said = json!({"subject": "lead/1", "purpose": "contact", "notice_version": "2026-01",
                      "evidence": {"form": "website", "ticked": true}});
    let answer = app.post("/consent/grant", said).await;
    assert_eq!(answer.headers["location"], "/consent/lead%2F1");
    let record = answer.expect(201);
    assert_eq!((&record["action"], &record["version"]), (&json!("granted"), &json!(1)));
    assert_eq!(record["evidence"], json!({"form": "website", "ticked": true}));
    assert_eq!(record["actor"], "user/admin-1");
    assert_eq!(record["source_event"], json!(null));

    let expected = json!({"subject": "lead/1", "records": [record], "purposes": [{
        "purpose": "contact", "state": "granted", "since": record["created_at"],
        "expires_at": null, "notice_version": "2026-01", "record_id": record["id"], "modules": [],
    }]});
    assert_eq!(app.get("/consent/lead%2F1").await.expect(200), expected);

    let [event] = app.recorded_as::<ConsentGranted>().await.try_into().unwrap();
    assert_eq!(json!(event.consent_id), record["consent_id"]);
    assert_eq!((event.person.as_str(), event.purpose.as_str()), ("lead/1", "contact"));
    assert_eq!(event.notice_version.as_deref(), Some("2026-01"));
    let recorded = app.recorded().await;
    assert!(recorded[1..].iter().all(|event| json!(event.correlationid) == record["correlation_id"]));
    assert_eq!(app.audited().await, ["notice.create", "consent.grant"]);
    assert_eq!(recorded[2].data["after"], record);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_said_is_overwritten() {
    let app = app().await;
    let mut said = Vec::new();
    for (yes, expected) in
        [(false, "refused"), (true, "granted"), (true, "granted"), (false, "withdrawn"), (false, "withdrawn")]
    {
        app.clock.advance(TimeDelta::minutes(1));
        let record = say(&app, yes, "lead/1", "contact").await;
        assert_eq!(record["action"], expected);
        said.insert(0, record);
    }
    let standing = standing(&app, "lead/1").await;
    assert_eq!(standing["records"], json!(said));
    let versions: Vec<_> = said.iter().map(|record| record["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [5, 4, 3, 2, 1]);
    assert_eq!(standing["purposes"].as_array().unwrap().len(), 1);
    let state = &standing["purposes"][0];
    assert_eq!((&state["state"], &state["record_id"]), (&json!("withdrawn"), &said[0]["id"]));
    assert_eq!(state["since"], said[1]["created_at"], "it was withdrawn then, and that never changed");

    assert_eq!(app.recorded_as::<ConsentGranted>().await.len(), 2);
    assert_eq!(app.recorded_as::<ConsentRevoked>().await.len(), 3);
    let told: Vec<Event> =
        app.recorded().await.into_iter().filter(|event| event.name() != "audit_recorded").collect();
    assert!(told.iter().all(|event| event.subject == told[0].subject), "all is told of one consent");
    assert_eq!(told.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(app.audited().await[..2], ["consent.revoke", "consent.grant"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_by_what_was_said_is_seen_once_they_say_so() {
    let app = app().await;
    let modules = async || standing(&app, "lead/1").await["purposes"][0]["modules"].clone();
    let says = async |producer: Producer, record: &Value, seconds: i64| {
        let consent_id = serde_json::from_value(record["consent_id"].clone()).unwrap();
        let applied = ConsentApplied { consent_id, state: "revoked".to_owned() };
        let kind = ConsentApplied::kind(producer);
        let event = Event {
            type_: kind.type_.to_owned(),
            dataschema: dataschema(kind.type_),
            source: producer.source().to_owned(),
            sequence: record["version"].as_i64().unwrap(),
            time: app.clock.now() + TimeDelta::seconds(seconds),
            ..app.event(&applied)
        };
        app.deliver_twice(&event).await;
        event.time
    };
    grant(&app, "lead/1", "contact").await;
    assert_eq!(modules().await, json!([]), "a first yes changes nothing");

    let revoked = revoke(&app, "lead/1", "contact").await;
    let nobody = json!([{"module": "core", "applied_at": null}, {"module": "rl", "applied_at": null}]);
    assert_eq!(modules().await, nobody);
    let at = says(Producer::Rl, &revoked, 3).await;
    let one = json!([{"module": "core", "applied_at": null}, {"module": "rl", "applied_at": at}]);
    assert_eq!(modules().await, one);
    // Nobody has to act anew when the same is said again.
    let again = revoke(&app, "lead/1", "contact").await;
    says(Producer::Rl, &again, 9).await;
    assert_eq!(modules().await, one);

    let granted = grant(&app, "lead/1", "contact").await;
    assert_eq!(modules().await, nobody, "what they said of the no is not what they say of the yes");
    let at = says(Producer::Core, &granted, 20).await;
    grant(&app, "lead/1", "contact").await;
    assert_eq!(modules().await[0]["applied_at"], json!(at));
}

#[tokio::test(flavor = "multi_thread")]
async fn purposes_and_persons_are_kept_apart() {
    let app = app().await;
    let new = json!({"id": "news-letter_2", "name": "News", "description": "More news"});
    app.post("/compliance/purposes", new).await.expect(201);
    let contact = grant(&app, "lead/1", "contact").await;
    let other = grant(&app, "lead/1", "news-letter_2").await;
    revoke(&app, "lead/2", "contact").await;
    assert_ne!(contact["consent_id"], other["consent_id"]);
    let purposes = standing(&app, "lead/1").await["purposes"].clone();
    let states: Vec<_> =
        purposes.as_array().unwrap().iter().map(|state| (&state["purpose"], &state["state"])).collect();
    assert_eq!(
        states,
        [(&json!("contact"), &json!("granted")), (&json!("news-letter_2"), &json!("granted"))]
    );
    assert_eq!(standing(&app, "lead/2").await["purposes"][0]["state"], "refused");
    let nobody = json!({"subject": "lead/3", "purposes": [], "records": []});
    assert_eq!(standing(&app, "lead/3").await, nobody);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_be_named_by_any_text() {
    let app = app().await;
    for subject in ["asha+1@example.com", "+91 98765/43210", "100%", "50%2F50", "अशा वर्मा", "a?b#c"]
    {
        let answer = app.post("/consent/grant", json!({"subject": subject, "purpose": "contact"})).await;
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        let record = answer.expect(201);
        let standing = app.get(&location).await.expect(200);
        assert_eq!((&standing["subject"], &standing["records"]), (&json!(subject), &json!([record])));
    }
    app.get("/consent/%00").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_consent_are_numbered_without_gaps_when_they_come_at_once() {
    let app = app().await;
    let both = (0..8).map(async |round| say(&app, round % 2 == 0, "lead/1", "contact").await);
    let records: Vec<Value> = futures_util::future::join_all(both).await;
    let versions: BTreeSet<_> = records.iter().map(|record| record["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, (1..=8).collect());
    let consents: BTreeSet<_> = records.iter().map(|record| record["consent_id"].as_str()).collect();
    assert_eq!(consents.len(), 1);
    let told: Vec<_> = app
        .recorded()
        .await
        .iter()
        .filter(|event| event.name() != "audit_recorded")
        .map(|e| e.sequence)
        .collect();
    assert_eq!(told, [1, 2, 3, 4, 5, 6, 7, 8], "they are told in the order in which they were recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lead_agreed_to_is_recorded_once() {
    let app = app().await;
    let named = ["newsletter", "contact", "contact", "By Phone!", "", "nobody-registered-it"];
    let consent_purposes = named.map(str::to_owned).to_vec();
    let lead = LeadCreated { consent_purposes, ..LeadCreated::sample() };
    let event = app.event(&lead);
    app.deliver_twice(&event).await;

    let standing = standing(&app, &event.subject).await;
    let records = standing["records"].as_array().unwrap();
    let purposes: Vec<_> = records.iter().map(|record| record["purpose"].as_str().unwrap()).collect();
    assert_eq!(purposes, ["newsletter", "contact"], "each once, and what is no purpose not at all");
    for record in records {
        assert_eq!(record["action"], "granted");
        assert_eq!(record["source_event"], json!(event.id));
        assert_eq!(record["evidence"]["event_id"], json!(event.id));
        assert_eq!(record["actor"], "service/compliance");
        assert_eq!(record["correlation_id"], json!(event.correlationid));
    }
    assert_eq!(app.audited().await, ["consent.grant"; 2]);

    // What the person says later belongs to the same story, and to the same consent.
    let withdrawn = revoke(&app, &event.subject, "contact").await;
    assert_eq!((&withdrawn["action"], &withdrawn["version"]), (&json!("withdrawn"), &json!(2)));
    assert_eq!(withdrawn["correlation_id"], json!(event.correlationid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_without_consent_is_no_record() {
    let app = app().await;
    let lead = LeadCreated { consent_purposes: Vec::new(), ..LeadCreated::sample() };
    let event = app.event(&lead);
    app.deliver_twice(&event).await;
    assert_eq!(standing(&app, &event.subject).await["records"], json!([]));
    assert_eq!(app.audited().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_listed() {
    let app = app().await;
    let bad =
        json!({"subject": "", "purpose": "By Phone", "evidence": 7, "notice_version": "", "until": "2030"});
    let problem = app.post("/consent/grant", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/evidence", "/notice_version", "/purpose", "/subject", "/until"]);

    let bad = json!({"subject": "x".repeat(201), "notice_version": "1"});
    let problem = app.post("/consent/revoke", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/notice_version", "/purpose", "/subject"]);
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_and_recording_need_their_permissions() {
    let mut app = app().await;
    let said = json!({"subject": "lead/1", "purpose": "contact"});
    app.speak_as(Role::Manager);
    for path in ["/consent/grant", "/consent/revoke"] {
        let problem = app.post(path, said.clone()).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "compliance:write");
    }
    app.get("/consent/lead%2F1").await.expect(200);
    assert_eq!(app.recorded().await, []);

    app.speak_as(Role::Sales);
    for path in [
        "/consent/lead%2F1",
        "/compliance/checks",
        "/compliance/checks/0190aaaa-0000-7000-8000-000000000001",
        "/compliance/violations",
        "/compliance/policies",
        "/compliance/audit-report?start_date=2027-01-01&end_date=2027-01-31",
    ] {
        let problem = app.get(path).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "compliance:read");
    }
    app.speak_as(Role::Compliance);
    app.post("/consent/grant", said).await.expect(201);
}
