//! What was tampered with is found, and what is there can be proved.

use bhiv_events::{AuditRecorded, Contract as _, Event};
use bhiv_ledger::{Hash, LogKeys, Record, Row, Verifier, is_consistent, is_included};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};

use crate::{event, signing_app};

/// As many audit rows as that, each of a change of its own, all of them numbered and signed.
async fn audited(app: &TestApp, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for number in 0..count {
        let entity = format!("lead/{number}");
        let event = event(app, 0, "user/asha", &AuditRecorded { entity, ..AuditRecorded::sample() });
        app.deliver_twice(&event).await;
        events.push(event);
    }
    signed(app, count).await;
    events
}

/// Waits until a checkpoint has so many rows.
async fn signed(app: &TestApp, size: usize) -> Value {
    app.clock.advance(TimeDelta::seconds(10));
    app.eventually(async || {
        let checkpoint = app.get("/audit/checkpoint").await;
        (checkpoint.status == 200 && checkpoint.body["size"] == size).then_some(checkpoint.body)
    })
    .await
}

async fn sql(app: &TestApp, statement: &str) {
    let mut conn = app.database.connect().await;
    diesel::sql_query(statement).execute(&mut conn).await.unwrap();
}

async fn keys(app: &TestApp) -> LogKeys {
    let keys = app.get("/audit/keys").await.expect(200);
    LogKeys::new(serde_json::from_value(json!({"keys": keys["keys"]})).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_proved_to_be_in_the_signed_tree() {
    let app = signing_app().await;
    let events = audited(&app, 5).await;
    let keys = keys(&app).await;
    for event in &events {
        let proof = app.get(&format!("/audit/{}/proof", event.id)).await.expect(200);
        let checkpoint = keys.open(proof["checkpoint"]["note"].as_str().unwrap()).unwrap();
        let row: Row = serde_json::from_value(proof["row"].clone()).unwrap();
        let leaf: Hash = serde_json::from_value(proof["leaf_hash"].clone()).unwrap();
        assert_eq!(row.leaf().unwrap(), leaf);
        let path: Vec<Hash> = serde_json::from_value(proof["proof"].clone()).unwrap();
        let content = serde_json_canonicalizer::to_vec(&row).unwrap();
        let index = proof["leaf_index"].as_u64().unwrap();
        assert!(is_included(&content, index, checkpoint.size, checkpoint.root, &path));
        assert!(!is_included(b"{}", index, checkpoint.size, checkpoint.root, &path));
    }

    let before = app.get("/audit/checkpoint").await.expect(200)["size"].clone();
    let old = keys.open(app.get("/audit/checkpoint").await.expect(200)["note"].as_str().unwrap()).unwrap();
    audited_more(&app, 4, 9).await;
    let new = app.get("/audit/checkpoint").await.expect(200);
    let new = keys.open(new["note"].as_str().unwrap()).unwrap();
    let proof = app.get(&format!("/audit/consistency?from={before}")).await.expect(200);
    let path: Vec<Hash> = serde_json::from_value(proof["proof"].clone()).unwrap();
    assert!(is_consistent((old.size, old.root), (new.size, new.root), &path));
    assert_eq!((&proof["to"], &proof["to_root"]), (&json!(9), &json!(new.root)));
    let list = app.get("/audit/checkpoints?limit=1").await.expect(200);
    assert_eq!((&list["items"][0]["size"], &list["next_below"]), (&json!(9), &json!(9)));
}

async fn audited_more(app: &TestApp, count: usize, size: usize) {
    for number in 0..count {
        let entity = format!("order/{number}");
        let event = event(app, 0, "user/ravi", &AuditRecorded { entity, ..AuditRecorded::sample() });
        app.deliver_twice(&event).await;
    }
    signed(app, size).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_row_is_found_and_put_back_it_is_not() {
    let app = signing_app().await;
    let events = audited(&app, 6).await;
    let verified = async || app.get("/audit/verify").await.expect(200);
    let good = verified().await;
    assert_eq!((&good["ok"], &good["intact"], &good["size"]), (&json!(true), &json!(6), &json!(6)));
    assert_eq!((&good["first"], &good["next"]), (&json!(null), &json!(null)));

    let changed = events[3].id;
    sql(&app, &format!("UPDATE entries SET actor = 'user/nobody' WHERE id = '{changed}'")).await;
    let bad = verified().await;
    let finding = json!({"finding": "changed", "leaf_index": 3, "entry_id": changed});
    assert_eq!((&bad["ok"], &bad["first"], &bad["findings"]), (&json!(false), &finding, &json!([finding])));

    sql(&app, &format!("UPDATE entries SET actor = 'user/asha' WHERE id = '{changed}'")).await;
    assert_eq!(verified().await, good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_row_an_inserted_row_and_a_cut_off_end_are_found() {
    let app = signing_app().await;
    let events = audited(&app, 6).await;
    let outside = app.get("/audit/checkpoint").await.expect(200);
    let removed = events[2].id;
    sql(&app, &format!("DELETE FROM entries WHERE id = '{removed}'")).await;
    let found = app.get("/audit/verify").await.expect(200);
    assert_eq!(found["first"], json!({"finding": "removed", "leaf_index": 2, "entry_id": removed}));

    // Past the trigger that has rows wait for their leaf.
    let inserted = app.clock.id();
    let mut conn = app.database.connect().await;
    for statement in [
        "SET session_replication_role = replica".to_owned(),
        format!(
            "INSERT INTO entries SELECT copy.* FROM entries AS first,
               jsonb_populate_record(first, jsonb_build_object('id', '{inserted}')) AS copy
             WHERE first.id = '{}'",
            events[0].id
        ),
    ] {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    let found = app.get("/audit/verify").await.expect(200);
    assert_eq!(found["findings"][1], json!({"finding": "inserted", "entry_id": inserted}));

    // Leaves and checkpoints of the last two rows, and the rows.
    for statement in [
        "DELETE FROM audit_leaves WHERE leaf_index >= 4".to_owned(),
        "DELETE FROM audit_checkpoints WHERE size > 4".to_owned(),
        format!("DELETE FROM entries WHERE id IN ('{}', '{}', '{inserted}')", events[4].id, events[5].id),
    ] {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    let within = app.get("/audit/verify").await.expect(200);
    assert_eq!(within["findings"].as_array().unwrap().len(), 1, "only the removed row: {within:#}");
    let export = export(&app).await;
    let keys = keys(&app).await;
    let mut verifier = Verifier::new(&keys, [outside["note"].as_str().unwrap()]);
    for record in &export {
        verifier.take(record);
    }
    let report = serde_json::to_value(verifier.finish(true)).unwrap();
    assert_eq!(report["findings"][1], json!({"finding": "truncated", "leaf_index": 4, "size": 6}));
}

async fn export(app: &TestApp) -> Vec<Record> {
    let token = app.token(bhiv_auth::Role::Compliance);
    let request = app.request(reqwest::Method::GET, "/audit/export").bearer_auth(token);
    let text = request.send().await.unwrap().text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_gone_over_in_parts_and_rewritten_leaves_are_found_between_them() {
    let app = signing_app().await;
    let events = audited(&app, 300).await;
    audited_more(&app, 5, 305).await;
    let mut next = Some(0);
    let mut intact = 0;
    while let Some(from) = next {
        let part = app.get(&format!("/audit/verify?limit=100&from={from}")).await.expect(200);
        assert_eq!(part["ok"], json!(true), "{part:#}");
        intact += part["intact"].as_u64().unwrap();
        next = part["next"].as_u64();
    }
    assert_eq!(intact, 305);

    // Row and leaf are changed so that they fit each other.
    let id = events[120].id;
    sql(&app, &format!("UPDATE entries SET actor = 'user/nobody' WHERE id = '{id}'")).await;
    let row = app.get(&format!("/logs/{id}")).await.expect(200);
    let leaf = serde_json::from_value::<Row>(row).unwrap().leaf().unwrap();
    let bytes = leaf.0.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut conn = app.database.connect().await;
    for statement in [
        "SET session_replication_role = replica".to_owned(),
        format!("UPDATE audit_leaves SET leaf_hash = decode('{bytes}', 'hex') WHERE entry_id = '{id}'"),
    ] {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    let whole = app.get("/audit/verify").await.expect(200);
    let first = &whole["first"];
    assert_eq!(first["finding"], "rewritten", "{whole:#}");
    assert!(first["from"].as_u64() <= Some(120) && first["size"].as_u64() > Some(120), "{first}");
    let part = app.get("/audit/verify?from=100&limit=100").await.expect(200);
    assert_eq!(part["ok"], json!(true), "the stored nodes were not changed: the whole says it: {part:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved_is_said() {
    let app = signing_app().await;
    app.get("/audit/checkpoint").await.expect_problem(404, "no_checkpoint");
    app.get("/audit/consistency?from=1").await.expect_problem(404, "no_checkpoint");
    let events = audited(&app, 3).await;
    for (query, pointer) in
        [("from=0", "?from"), ("from=3&to=2", "?from"), ("from=1&to=9", "?to"), ("", "?from")]
    {
        let problem = app.get(&format!("/audit/consistency?{query}")).await.expect(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem:#}");
    }
    app.get(&format!("/audit/{}/proof", app.clock.id())).await.expect_problem(404, "not_found");
    let other = app.event(&bhiv_events::crm::LeadCreated::sample());
    app.deliver_twice(&other).await;
    app.get(&format!("/audit/{}/proof", other.id)).await.expect_problem(409, "not_an_audit_row");
    app.get("/audit/verify?limit=0&from=-1").await.expect_problem(422, "invalid_input");

    let unsigned = crate::app().await;
    for path in ["/audit/checkpoint", "/audit/keys", "/audit/verify", "/audit/consistency?from=1"] {
        let problem = unsigned.get(path).await.expect_problem(503, "signing_key_missing");
        assert_eq!(problem["setting"], "LOGGING_SIGNING_KEY_FILE");
    }
    assert_eq!(events.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_tree_can_be_changed_in_passing() {
    let app = signing_app().await;
    audited(&app, 2).await;
    let mut conn = app.database.connect().await;
    for statement in [
        "UPDATE audit_leaves SET leaf_hash = ''",
        "DELETE FROM audit_leaves",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_checkpoints SET note = ''",
        "TRUNCATE audit_nodes",
    ] {
        let refused = diesel::sql_query(statement).execute(&mut conn).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
}
