use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::ErasureRequested;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::logistics::OrderCreated;
use bhiv_testing::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, id, items};

/// Words that stand nowhere else.
const PERSON: [&str; 2] = ["zylphia", "quarrow"];

fn zylphia(lead_id: Uuid) -> LeadCreated {
    LeadCreated {
        lead_id,
        name: "Zylphia Quarrow".to_owned(),
        need: Some("a loom for Zylphia".to_owned()),
        ..LeadCreated::sample()
    }
}

fn request(app: &TestApp, person: &str, also: &[&str]) -> ErasureRequested {
    let also = also.iter().map(|name| (*name).to_owned()).collect();
    ErasureRequested { erasure_id: app.clock.id(), person: person.to_owned(), also }
}

async fn workflow(app: &TestApp, trigger: &str, actions: Value) {
    let new = json!({"name": "Test", "trigger": trigger, "actions": actions});
    app.post("/task/workflows", new).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_who_is_forgotten_but_that_something_was_done() {
    let app = app().await;
    let asking = json!([
        {"approve": {"question": "Call {{ data.name }}?", "approvers": ["ravi"]}},
        {"create_task": {"title": "Call {{ data.name }}"}},
    ]);
    workflow(&app, "lead_created", asking).await;
    workflow(&app, "lead_created", json!([{"create_task": {"title": "{{ data.name[0] / 2 }}"}}])).await;
    workflow(&app, "lead_created", json!([{"create_task": {"title": "Welcome {{ data.name }}"}}])).await;
    let lead = app.clock.id();
    let reference = format!("lead/{lead}");
    app.deliver_twice(&app.event(&zylphia(lead))).await;
    let ravi = app.clock.id();
    app.deliver_twice(&app.event(&LeadCreated { lead_id: ravi, ..LeadCreated::sample() })).await;
    let new = json!({"title": "Visit zylphia", "reference": reference, "labels": ["quarrow"], "assignee_id": "ravi",
                     "checklist": [{"text": "bring Zylphia's loom"}]});
    let done = app.post("/task/tasks", new.clone()).await.expect(201);
    let path = format!("/task/tasks/{}", id(&done));
    let finish = json!({"status": "completed", "checklist": [{"text": "Zylphia's loom", "done": true}]});
    app.patch(&path, finish).await.expect(200);
    let review = json!({"task_id": done["id"], "status": "approved", "comments": "Zylphia is glad"});
    app.post("/task/review", review).await.expect(201);
    let other = json!({"title": "Ask ZYLPHIA QUARROW's neighbour", "labels": ["Zylphia Quarrow", "x"]});
    let other = app.post("/task/tasks", other).await.expect(201);
    let [waiting] = items(&app, "/task/runs?outcome=waiting")
        .await
        .into_iter()
        .take(1)
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(items(&app, "/task/runs?outcome=failed").await.len(), 2);

    let told = app.erase(&request(&app, &reference, &[]), &PERSON).await;
    assert_eq!(told.kept.iter().map(|kept| kept.count).collect::<Vec<_>>(), [2], "{told:?}");
    let done = app.get(&path).await.expect(200);
    assert_eq!((&done["status"], &done["title"]), (&json!("completed"), &json!("[erased]")));
    assert_eq!(done["assignee_id"], "ravi", "how well staff works stays");
    let cancelled = items(&app, "/task/tasks?status=cancelled").await;
    assert_eq!(cancelled.len(), 1, "nobody follows up with somebody who was forgotten");
    let other = app.get(&format!("/task/tasks/{}", id(&other))).await.expect(200);
    assert_eq!(
        (&other["title"], &other["labels"]),
        (&json!("Ask [erased]'s neighbour"), &json!(["[erased]", "x"]))
    );
    let runs = items(&app, "/task/runs?outcome=cancelled").await;
    assert_eq!(runs.len(), 1, "what waited ends: {runs:?}");
    assert_eq!(
        items(&app, "/task/runs?outcome=waiting").await.len(),
        1,
        "that of others does not: {waiting}"
    );
    let withdrawn = items(&app, "/task/approvals?status=withdrawn").await;
    assert_eq!(withdrawn.len(), 1);
    let failed = items(&app, "/task/runs?outcome=failed").await;
    let retried = async |run: &Value| {
        app.post(&format!("/task/runs/{}/retry", id(run)), json!({})).await.status.as_u16()
    };
    let statuses = [retried(&failed[0]).await, retried(&failed[1]).await];
    assert!(statuses.contains(&409) && statuses.contains(&200), "theirs is forgotten: {statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_news_do_not_bring_anybody_back() {
    let app = app().await;
    let lead = app.clock.id();
    let event = app.event(&zylphia(lead));
    app.erase(&request(&app, &format!("lead/{lead}"), &["zylphia-7"]), &[]).await;
    let before = app.database.rows().await;
    app.deliver(&event).await;
    app.deliver(&app.event(&LeadUpdated { lead_id: lead, ..LeadUpdated::sample() })).await;
    app.deliver(&app.event(&OrderCreated { customer_id: "zylphia-7".to_owned(), ..OrderCreated::sample() }))
        .await;
    let rows = app.database.rows().await;
    let quiet = ["inbox ", "stories "];
    let made: Vec<_> = rows
        .iter()
        .filter(|row| !before.contains(row) && !quiet.iter().any(|table| row.starts_with(table)))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
    assert!(app.database.rows_with("zylphia").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_user_what_they_did_and_said_is_forgotten() {
    let app = app().await;
    let user = "zylphia-1";
    let order = json!({"order_id": app.clock.id(), "rating": 2, "comment": "Late, says Quarrow"});
    let request_of =
        |method, path: &str| app.request(method, path).bearer_auth(app.token_of(user, Role::Manager));
    let feedback = TestApp::read(request_of(Method::POST, "/task/feedback").json(&order)).await.expect(201);
    let task = json!({"title": "Call", "assignee_id": user});
    let task = app.post("/task/tasks", task).await.expect(201);
    let recurring =
        json!({"cron": "0 9 * * *", "timezone": "UTC", "task": {"title": "Sweep", "assignee_id": user}});
    app.post("/task/recurring", recurring).await.expect(201);
    let told = app.erase(&request(&app, &format!("user/{user}"), &[]), &["quarrow"]).await;
    let named = app.database.rows_with(user).await;
    assert!(named.iter().all(|row| row.contains("task.person.erased.v1")), "{named:#?}");
    assert!(told.kept.iter().any(|kept| kept.what == "ratings" && kept.count == 1), "{told:?}");
    let feedback = app.get(&format!("/task/feedback/{}", id(&feedback))).await.expect(200);
    assert_eq!((&feedback["rating"], &feedback["comment"]), (&json!(2), &Value::Null));
    let task = app.get(&format!("/task/tasks/{}", id(&task))).await.expect(200);
    assert_eq!((&task["title"], &task["assignee_id"]), (&json!("Call"), &Value::Null));
}
