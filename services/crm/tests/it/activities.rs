use chrono::TimeDelta;
use serde_json::json;

use crate::{Seller, app, lead, path};

#[tokio::test(flavor = "multi_thread")]
async fn people_note_what_they_did_and_what_is_to_be_done() {
    let app = app().await;
    let lead = lead(&app).await;
    let entity = format!("lead/{}", lead["id"].as_str().unwrap());
    let due = app.clock.now() + TimeDelta::hours(1);
    let call = json!({"entity": entity, "kind": "call", "summary": "Call about racks", "due_at": due});
    let call = app.post("/crm/activities", call).await.expect(201);
    let note = json!({"entity": entity, "kind": "note", "summary": "Likes blue", "body": "and green"});
    app.post("/crm/activities", note).await.expect(201);
    assert_eq!(app.get(&format!("/crm/activities?entity={entity}")).await.expect(200)["total"], 2);
    assert_eq!(app.get("/crm/activities?q=gree").await.expect(200)["total"], 1);
    assert_eq!(app.get("/crm/activities?kind=call&author=admin-1").await.expect(200)["items"], json!([call]));

    let later = (due + TimeDelta::seconds(1)).to_rfc3339().replace('+', "%2B");
    let open = format!("/crm/activities?due_before={later}");
    assert_eq!(app.get(&open).await.expect(200)["total"], 1);
    let done = app.patch(&path("activities", &call), json!({"done": true})).await.expect(200);
    assert!(done["done_at"].is_string());
    assert_eq!(app.get(&open).await.expect(200)["total"], 0);
    let history = app.get(&format!("{}/history", path("activities", &call))).await.expect(200);
    assert_eq!(history["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_about_a_record_that_is_there() {
    let app = app().await;
    let note = |entity: &str| json!({"entity": entity, "kind": "note", "summary": "x"});
    let nobody = "account/0190aaaa-0000-7000-8000-000000000001";
    let refused = app.post("/crm/activities", note(nobody)).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/entity");
    for bad in ["order/0190aaaa-0000-7000-8000-000000000001", "lead/7", "lead"] {
        app.post("/crm/activities", note(bad)).await.expect_problem(422, "invalid_input");
    }
    assert_eq!(app.audited().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_done_is_listed_by_when() {
    let app = app().await;
    let entity = format!("lead/{}", lead(&app).await["id"].as_str().unwrap());
    let mut all = Vec::new();
    for (summary, hours) in [("third", Some(3)), ("never", None), ("first", Some(1)), ("second", Some(2))] {
        let due = hours.map(|hours| app.clock.now() + TimeDelta::hours(hours));
        let new = json!({"entity": entity, "kind": "call", "summary": summary, "due_at": due});
        all.push(app.post("/crm/activities", new).await.expect(201));
        app.clock.advance(TimeDelta::minutes(1));
    }
    let walk = async |query: &str| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/crm/activities?limit=1&{query}{cursor}")).await.expect(200);
            seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["summary"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { return (seen, page["total"].clone()) };
            cursor = format!("&cursor={next}");
        }
    };
    let (due, total) = walk("sort=due_at").await;
    assert_eq!((due, total), (vec![json!("first"), json!("second"), json!("third")], json!(3)));
    assert_eq!(walk("sort=-due_at").await.0, ["third", "second", "first"]);

    app.patch(&path("activities", &all[2]), json!({"done": true})).await.expect(200);
    assert_eq!(walk("sort=due_at&done=false").await.0, ["second", "third"]);
    assert_eq!(walk("done=true").await.0, ["first"]);
    let second = all[1]["created_at"].as_str().unwrap().replace('+', "%2B");
    assert_eq!(walk(&format!("sort=created_at&from={second}")).await.0, ["never", "first", "second"]);
    assert_eq!(walk(&format!("until={second}")).await.0, ["third"]);
    let other_order = app.get("/crm/activities?limit=1&sort=due_at").await.expect(200);
    let cursor = other_order["next_cursor"].as_str().unwrap();
    let refused = app.get(&format!("/crm/activities?sort=summary&cursor={cursor}")).await;
    refused.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_taken_back_by_its_author_or_a_manager() {
    let app = app().await;
    let lead = lead(&app).await;
    let entity = format!("lead/{}", lead["id"].as_str().unwrap());
    app.patch(&path("leads", &lead), json!({"team": "north"})).await.expect(200);
    let (asha, ravi) = (Seller::new(&app, "asha", Some("north")), Seller::new(&app, "ravi", Some("north")));
    let note = json!({"entity": entity, "kind": "note", "summary": "Likes blue"});
    let one = asha.post("/crm/activities", note.clone()).await.expect(201);
    let two = asha.post("/crm/activities", note).await.expect(201);
    ravi.delete(&path("activities", &one)).await.expect_problem(409, "anothers_note");
    asha.delete(&path("activities", &one)).await.expect(204);
    asha.get(&path("activities", &one)).await.expect_problem(404, "not_found");
    asha.delete(&path("activities", &one)).await.expect_problem(404, "not_found");
    app.delete(&path("activities", &two)).await.expect(204);
    assert_eq!(app.get(&format!("/crm/activities?entity={entity}")).await.expect(200)["total"], 0);
    assert_eq!(app.audited().await.iter().filter(|action| *action == "activity.delete").count(), 2);
}
