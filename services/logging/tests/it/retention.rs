use bhiv_auth::Role;
use bhiv_events::crm::LeadCreated;
use bhiv_events::{AuditRecorded, Contract as _, Event};
use bhiv_testing::TestApp;
use chrono::{DateTime, TimeDelta};
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use logging::{Config, Logging};
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{app, event, signing_app};

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The table that an entry is in.
async fn table_of(app: &TestApp, event: &Event) -> String {
    let query = format!("SELECT tableoid::regclass::text AS name FROM entries WHERE id = '{}'", event.id);
    let mut conn = app.database.connect().await;
    let Name { name } = diesel::sql_query(query).get_result(&mut conn).await.unwrap();
    name
}

/// An event whose id belongs to August, long after the last month that there is a partition for.
fn of_august() -> Event {
    let august = DateTime::parse_from_rfc3339("2027-08-03T08:00:00Z").unwrap().timestamp();
    let minted = Timestamp::from_unix(NoContext, august.try_into().unwrap(), 0);
    Event::around(Uuid::new_v7(minted), &LeadCreated::sample())
}

/// Another replica takes up what there is to do as soon as it starts.
fn another(app: &TestApp) -> TestApp {
    TestApp::replica_of::<Logging>(app, |pem| Config {
        logging_signing_key_file: Some(pem.to_owned()),
        ..Config::default()
    })
}

async fn months(app: &TestApp) -> Vec<Value> {
    app.get("/logs/retention").await.expect(200)["partitions"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_in_the_partition_of_their_month_which_is_made_ahead() {
    let app = app().await;
    app.eventually(async || {
        months(&app).await.iter().any(|month| month["name"] == "entries_event_2027_03").then_some(())
    })
    .await;
    let lead = app.event(&LeadCreated::sample());
    app.deliver_twice(&lead).await;
    assert_eq!(table_of(&app, &lead).await, "entries_event_2027_01");
    let audit = app.event(&AuditRecorded::sample());
    app.deliver_twice(&audit).await;
    assert_eq!(table_of(&app, &audit).await, "entries_audit_2027_01");

    let early = of_august();
    app.deliver_twice(&early).await;
    assert_eq!(table_of(&app, &early).await, "entries_event_default");
    app.clock.advance(TimeDelta::days(201));
    let _replica = another(&app);
    app.eventually(async || (table_of(&app, &early).await == "entries_event_2027_08").then_some(())).await;
    app.get(&format!("/logs/{}", early.id)).await.expect(200);
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_while_they_move_to_the_partition_of_their_month() {
    let app = app().await;
    let early = of_august();
    app.deliver_twice(&early).await;

    let mut mover = app.database.connect().await;
    mover.batch_execute("BEGIN; SELECT make_partition('event', '2027-08-03T08:00:00Z')").await.unwrap();
    let read = table_of(&app, &early);
    let moved = async {
        let mut watcher = app.database.connect().await;
        let waiting = format!(
            "SELECT count(*) AS count FROM pg_stat_activity \
             WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT tableoid%{}%'",
            early.id
        );
        while diesel::sql_query(&waiting).get_result::<Count>(&mut watcher).await.unwrap().count == 0 {
            tokio::task::yield_now().await;
        }
        mover.batch_execute("COMMIT").await.unwrap();
    };
    let (table, ()) = tokio::join!(read, moved);
    assert_eq!(table, "entries_event_2027_08");
    app.get(&format!("/logs/{}", early.id)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_to_be_kept_is_dropped_by_the_month_and_its_leaves_stay() {
    let app = signing_app().await;
    let (lead, audit) =
        (app.event(&LeadCreated::sample()), event(&app, 0, "user/asha", &AuditRecorded::sample()));
    app.deliver_twice(&lead).await;
    app.deliver_twice(&audit).await;
    app.clock.advance(TimeDelta::seconds(10));
    app.eventually(async || (app.get("/audit/checkpoint").await.status == 200).then_some(())).await;
    for kind in ["event", "audit"] {
        let hold = kind == "event";
        let change = json!({"kind": kind, "days": 30, "legal_hold": hold, "reason": "Case 7"});
        let changed = app.put("/logs/retention", change).await.expect(200);
        assert_eq!((&changed["days"], &changed["changed_by"]), (&json!(30), &json!("user/admin-1")));
    }
    assert_eq!(app.audited().await, ["retention.change", "retention.change"]);

    // 30 days after the end of January it is the 2nd of March.
    app.clock.advance(TimeDelta::days(47));
    let replica = another(&app);
    app.eventually(async || {
        let months = months(&app).await;
        let gone =
            |name: &str| months.iter().any(|month| month["name"] == name && !month["dropped_at"].is_null());
        gone("entries_audit_2027_01").then_some(())
    })
    .await;
    app.get(&format!("/logs/{}", audit.id)).await.expect_problem(404, "not_found");
    app.get(&format!("/logs/{}", lead.id)).await.expect(200);
    assert!(app.audited().await.contains(&"partition.drop".to_owned()));
    let verified = replica.get("/audit/verify").await.expect(200);
    assert_eq!((&verified["ok"], &verified["retired"]), (&json!(true), &json!(1)), "{verified:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_say_how_long_entries_are_kept() {
    let mut app = app().await;
    let change = json!({"kind": "audit", "days": 0, "colour": "red"});
    let problem = app.put("/logs/retention", change).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    app.speak_as(Role::Compliance);
    app.get("/logs/retention").await.expect(200);
    let change = json!({"kind": "audit", "days": 1});
    let problem = app.put("/logs/retention", change).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "logging:admin");
}
