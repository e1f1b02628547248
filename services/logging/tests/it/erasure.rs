use bhiv_events::compliance::ErasureRequested;
use bhiv_events::crm::LeadCreated;
use bhiv_events::{AuditRecorded, Contract as _, Event, PersonErased};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, entry, event, sealing_app};

#[derive(diesel::QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Everything of an entry that is in the database: what it says, and the words it is found by.
async fn stored(app: &TestApp, event: &Event) -> String {
    let query = format!("SELECT entries::text AS text FROM entries WHERE id = '{}'", event.id);
    let mut conn = app.database.connect().await;
    let Stored { text } = diesel::sql_query(query).get_result(&mut conn).await.unwrap();
    text
}

fn lead() -> LeadCreated {
    LeadCreated {
        name: "Asha Verma".to_owned(),
        company: Some("Verma Textiles".to_owned()),
        ..LeadCreated::sample()
    }
}

fn audit(lead: &LeadCreated) -> AuditRecorded {
    let after = json!({"name": "Asha Verma", "email": "asha@example.com", "status": "new", "score": null});
    AuditRecorded { entity: lead.subject(), after: Some(after), ..AuditRecorded::sample() }
}

fn erasure(lead: &LeadCreated) -> ErasureRequested {
    let also = vec!["asha@example.com".to_owned()];
    ErasureRequested { person: lead.subject(), also, ..ErasureRequested::sample() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_is_sealed_and_read_by_who_may() {
    let (app, _keys) = sealing_app().await;
    let lead = lead();
    let (created, audited) = (app.event(&lead), event(&app, 0, "user/ravi", &audit(&lead)));
    for event in [&created, &audited] {
        app.deliver_twice(event).await;
        let stored = stored(&app, event).await.to_lowercase();
        assert!(!stored.contains("asha") && !stored.contains("textiles"), "{stored}");
        assert_eq!(entry(&app, event).await["data"], event.data, "it reads as it was told");
    }
    for word in ["asha", "verma"] {
        assert_eq!(app.get(&format!("/logs?q={word}")).await.expect(200)["count"], 0);
    }
    let found = app.get("/logs?q=lead_created").await.expect(200);
    assert_eq!(found["logs"][0]["data"]["name"], "Asha Verma");
    for path in ["/audit", "/logs/export"] {
        let token = app.token(bhiv_auth::Role::Compliance);
        let request = app.request(reqwest::Method::GET, path).bearer_auth(token);
        assert!(request.send().await.unwrap().text().await.unwrap().contains("Asha Verma"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_cannot_be_read_any_more_and_the_tree_still_verifies() {
    let (app, _keys) = sealing_app().await;
    let (lead, other) = (lead(), LeadCreated { lead_id: Uuid::from_u128(9), ..lead() });
    let (created, audited) = (app.event(&lead), event(&app, 0, "user/ravi", &audit(&lead)));
    let others = app.event(&other);
    for event in [&created, &audited, &others] {
        app.deliver_twice(event).await;
    }
    app.clock.advance(TimeDelta::seconds(10));
    app.eventually(async || (app.get("/audit/checkpoint").await.status == 200).then_some(())).await;
    let proof = app.get(&format!("/audit/{}/proof", audited.id)).await.expect(200);

    let asked = app.event(&erasure(&lead));
    app.deliver_twice(&asked).await;
    let after = entry(&app, &audited).await;
    assert_eq!(after["data"]["after"], json!({"name": null, "email": null, "status": "new", "score": null}));
    assert_eq!((&after["entity"], &after["actor"]), (&json!(lead.subject()), &json!("user/ravi")));
    assert_eq!(entry(&app, &created).await["data"]["name"], json!(null));
    assert_eq!(entry(&app, &asked).await["data"]["also"], json!(null), "nor what else they are known as");
    assert_eq!(entry(&app, &others).await["data"], others.data, "nobody else is touched");

    let told = app.recorded().await;
    let told: PersonErased = told.last().unwrap().read().unwrap();
    assert_eq!((told.person, told.removed[0].count), (lead.subject(), 1));
    assert_eq!((told.kept[0].what.as_str(), told.kept[0].count), ("entries", 2));
    let verified = app.get("/audit/verify").await.expect(200);
    assert_eq!((&verified["ok"], &verified["intact"]), (&json!(true), &json!(1)), "{verified:#}");
    assert_eq!(app.get(&format!("/audit/{}/proof", audited.id)).await.expect(200), proof);

    // What is told of them later is not kept readable either.
    let late = app.event(&lead);
    app.deliver_twice(&late).await;
    assert_eq!(entry(&app, &late).await["data"]["name"], json!(null));
    assert!(!stored(&app, &late).await.contains("Asha"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_master_key_it_is_said_what_stays() {
    let app = app().await;
    let lead = lead();
    app.deliver_twice(&app.event(&lead)).await;
    app.deliver_twice(&app.event(&erasure(&lead))).await;
    let told: PersonErased = app.recorded().await.last().unwrap().read().unwrap();
    assert_eq!(told.removed, []);
    let unsealed: Vec<Value> = told.kept.iter().map(|kept| json!([kept.what, kept.count])).collect();
    assert_eq!(unsealed, [json!(["entries with unsealed fields", 1])]);
    assert!(told.kept[0].why.contains("LOGGING_MASTER_KEY_FILE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_was_never_heard_of_is_answered_too() {
    let (app, _keys) = sealing_app().await;
    app.deliver_twice(&app.event(&ErasureRequested::sample())).await;
    let told: PersonErased = app.recorded().await.last().unwrap().read().unwrap();
    assert_eq!((told.removed, told.kept), (vec![], vec![]));
}
