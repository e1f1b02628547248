use bhiv_auth::Role;
use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_events::{AuditRecorded, Contract as _};
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{app, event, ids};

/// Three leads, two scores and an audit row, ten minutes apart.
async fn memory() -> (TestApp, Vec<String>) {
    let app = app().await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let event = match number {
            0..3 => event(&app, number * 600, "user/asha", &LeadCreated::sample()),
            3..5 => event(&app, number * 600, "service/rl", &LeadScored::sample()),
            _ => event(&app, number * 600, "user/ravi", &AuditRecorded::sample()),
        };
        app.deliver_twice(&event).await;
        ids.push(event.id.to_string());
    }
    (app, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_does_not_parse_says_where() {
    let app = app().await;
    for path in ["/logs", "/logs/facets", "/logs/export", "/logs/stream"] {
        let query = "q=lead+(verma";
        let problem = app.get(&format!("{path}?{query}")).await.expect_problem(422, "search_not_understood");
        assert_eq!((&problem["position"], &problem["errors"][0]["pointer"]), (&json!(6), &json!("?q")));
    }
    let search = json!({"name": "Mine", "query": {"q": "-lead"}});
    let problem = app.post("/logs/searches", search).await.expect_problem(422, "search_not_understood");
    assert_eq!(problem["errors"][0]["pointer"], "/query/q");
    assert_eq!(app.get("/logs/searches").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_counted() {
    let (app, _) = memory().await;
    let facets = app.get("/logs/facets?type=event").await.expect(200);
    assert_eq!((&facets["counted"], &facets["complete"]), (&json!(5), &json!(true)));
    let of = |field: &str| facets["facets"][field].clone();
    assert_eq!(
        of("event_type"),
        json!([{"value": "lead_created", "count": 3}, {"value": "lead_scored", "count": 2}])
    );
    assert_eq!(of("source"), json!([{"value": "/bhiv/crm", "count": 3}, {"value": "/bhiv/rl", "count": 2}]));
    assert_eq!((of("user_id"), of("action")), (json!([{"value": "asha", "count": 3}]), json!(null)));
    assert_eq!(of("entity"), json!([{"value": "lead", "count": 5}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_drawn_over_time() {
    let (app, _) = memory().await;
    let bars = async |query: &str| app.get(&format!("/logs/histogram?{query}")).await;
    let day = "since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z";
    let drawn = bars(&format!("{day}&interval=hour&source=crm&type=event")).await.expect(200);
    assert_eq!(drawn, json!({"bars": [{"at": "2026-01-01T00:00:00Z", "count": 3}]}));
    let drawn = bars(&format!("{day}&interval=minute")).await;
    let until = drawn.expect_problem(422, "invalid_input")["errors"][0]["pointer"].clone();
    assert_eq!(until, "?until");
    let missing = bars("interval=day").await.expect_problem(422, "invalid_input");
    assert_eq!(missing["errors"].as_array().unwrap().len(), 2);
    let short = "since=2026-01-01T00:00:00Z&until=2026-01-01T02:00:00Z&interval=minute";
    assert_eq!(bars(short).await.expect(200)["bars"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_read_with_what_is_around_it() {
    let (app, all) = memory().await;
    let context = async |query: &str| {
        let context = app.get(&format!("/logs/{}/context?{query}", all[2])).await.expect(200);
        assert_eq!(context["entry"]["id"], all[2]);
        (ids(&context["before"]), ids(&context["after"]))
    };
    assert_eq!(context("").await, (all[..2].to_vec(), all[3..].to_vec()));
    assert_eq!(context("before=1&after=0").await, (all[1..2].to_vec(), vec![]));
    assert_eq!(context("of=user").await, (all[..2].to_vec(), vec![]));
    let unknown = format!("/logs/{}/context", app.clock.id());
    app.get(&unknown).await.expect_problem(404, "not_found");
    app.get(&format!("/logs/{}/context?before=101", all[2])).await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_are_saved_shared_and_changed_by_who_saved_them() {
    let mut app = app().await;
    app.speak_as(Role::Compliance);
    let new = json!({"name": "Lost leads", "query": {"q": "lead -won", "type": "event"}, "shared": false});
    let saved = app.post("/logs/searches", new.clone()).await;
    assert_eq!(saved.headers["location"], format!("/logs/searches/{}", saved.body["id"].as_str().unwrap()));
    let saved = saved.expect(201);
    let path = format!("/logs/searches/{}", saved["id"].as_str().unwrap());
    assert_eq!(saved["query"], json!({"q": "lead -won", "type": "event"}));
    app.post("/logs/searches", new.clone()).await.expect_problem(409, "search_name_taken");
    let unknown = json!({"name": "", "query": {"colour": "red"}});
    let problem = app.post("/logs/searches", unknown).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem:#}");

    app.speak_as(Role::Admin);
    app.get(&path).await.expect_problem(404, "not_found");
    app.speak_as(Role::Compliance);
    let shared = Value::Object(
        new.as_object().unwrap().clone().into_iter().chain([("shared".to_owned(), json!(true))]).collect(),
    );
    assert_eq!(app.put(&path, shared.clone()).await.expect(200)["version"], 2);
    app.speak_as(Role::Admin);
    assert_eq!(app.get(&path).await.expect(200)["shared"], true);
    assert_eq!(app.get("/logs/searches").await.expect(200)["total"], 1);
    app.put(&path, shared).await.expect_problem(404, "not_found");
    app.delete(&path).await.expect_problem(404, "not_found");
    app.speak_as(Role::Compliance);
    app.delete(&path).await.expect(204);
    app.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(app.audited().await, ["search.save", "search.change", "search.drop"]);
    app.speak_as(Role::Viewer);
    app.get("/logs/searches").await.expect_problem(403, "permission_denied");
}
