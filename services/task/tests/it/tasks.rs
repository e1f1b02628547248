use bhiv_auth::Role;
use bhiv_events::task::{TaskCompleted, TaskCreated, TaskEscalated};
use serde_json::json;

use crate::{NOTHING, app, id, items, task, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_created_with_its_event_and_its_audit_row() {
    let app = app().await;
    let new = json!({
        "title": "Call Asha", "description": "About the racks", "assignee_id": "ravi", "priority": "high",
        "due_date": "2027-02-01T10:00:00+05:30", "reference": "lead/1",
    });
    let answer = app.post("/task/tasks", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let created = answer.expect(201);
    assert_eq!(location, format!("/task/tasks/{}", id(&created)));
    assert_eq!((&created["status"], &created["version"]), (&json!("pending"), &json!(1)));
    assert_eq!(created["due_date"], "2027-02-01T04:30:00Z");
    assert_eq!(created["workflow_id"], json!(null));
    assert_eq!(app.get(&location).await.expect(200), created);

    let [event] = app.recorded_as::<TaskCreated>().await.try_into().unwrap();
    assert_eq!(json!(event.task_id), created["id"]);
    assert_eq!((event.title.as_str(), event.priority.as_str()), ("Call Asha", "high"));
    assert_eq!(json!(event.due_at), created["due_date"]);
    assert_eq!((event.reference.as_deref(), event.workflow_id), (Some("lead/1"), None));
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == created["correlation_id"]));
    assert_eq!(app.audited().await, ["task.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_listed_at_once() {
    let app = app().await;
    let bad = json!({"title": "", "priority": "asap", "due_date": "tomorrow", "reference": "x".repeat(101),
                     "colour": "red"});
    let problem = app.post("/task/tasks", bad).await.expect_problem(422, "invalid_input");
    let faults = problem["errors"].as_array().unwrap();
    assert_eq!(texts(faults, "pointer"), ["/colour", "/due_date", "/priority", "/reference", "/title"]);
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_fields_can_be_changed() {
    let app = app().await;
    let task = task(&app).await;
    let path = format!("/task/tasks/{}", id(&task));
    let change = json!({"title": "Call Asha again", "priority": "low", "assignee_id": "ravi",
                        "description": "She asked for it", "reference": "lead/1",
                        "due_date": "2027-02-01T10:00:00Z"});
    let changed = app.patch(&path, change.clone()).await.expect(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(changed["version"], 2);
    let cleared = app.patch(&path, json!({"assignee_id": null, "due_date": null})).await.expect(200);
    assert_eq!((&cleared["assignee_id"], &cleared["due_date"]), (&json!(null), &json!(null)));
    assert_eq!(cleared["reference"], "lead/1");

    let recorded = app.recorded().await.len();
    assert_eq!(app.patch(&path, json!({"priority": "low"})).await.expect(200), cleared);
    assert_eq!(app.recorded().await.len(), recorded, "what changes nothing tells nothing");
    assert_eq!(app.audited().await, ["task.create", "task.update", "task.update"]);
    assert_eq!(app.recorded_names().await, ["task_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_status_follows_its_table_and_tells_what_others_wait_for() {
    let app = app().await;
    let new = json!({"title": "Ship it", "reference": "order/1", "assignee_id": "ravi"});
    let task = app.post("/task/tasks", new).await.expect(201);
    let path = format!("/task/tasks/{}", id(&task));
    app.patch(&path, json!({"status": "blocked"})).await.expect(200);
    let refused = app.patch(&path, json!({"status": "completed", "title": "Done"})).await;
    let problem = refused.expect_problem(409, "illegal_transition");
    assert_eq!(problem["allowed"], json!(["in_progress", "escalated", "cancelled"]));
    assert_eq!(app.get(&path).await.expect(200)["title"], "Ship it", "a refused change changes nothing");

    app.patch(&path, json!({"status": "escalated"})).await.expect(200);
    let done = app.patch(&path, json!({"status": "completed", "title": "Shipped"})).await.expect(200);
    assert_eq!((&done["status"], &done["title"]), (&json!("completed"), &json!("Shipped")));
    assert_eq!(app.recorded_names().await, ["task_created", "task_escalated", "task_completed"]);
    let [escalated] = app.recorded_as::<TaskEscalated>().await.try_into().unwrap();
    assert_eq!((escalated.reference.as_deref(), escalated.reason), (Some("order/1"), None));
    let [completed] = app.recorded_as::<TaskCompleted>().await.try_into().unwrap();
    assert_eq!((completed.title.as_str(), completed.assignee_id.as_deref()), ("Shipped", Some("ravi")));
    let recorded = app.recorded().await;
    let last = recorded.iter().rfind(|event| event.name() == "task_completed").unwrap();
    assert_eq!(json!(last.sequence), done["version"]);
    assert_eq!(json!(last.correlationid), task["correlation_id"]);
    assert_eq!(app.audited().await, ["task.create", "task.move", "task.move", "task.move"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    for (title, assignee, priority, reference) in
        [("A", "ravi", "low", "lead/1"), ("B", "ravi", "high", "lead/2"), ("C", "mona", "high", "lead/1")]
    {
        let new =
            json!({"title": title, "assignee_id": assignee, "priority": priority, "reference": reference});
        app.post("/task/tasks", new).await.expect(201);
    }
    let listed = async |query: &str| {
        let found = items(&app, &format!("/task/tasks?{query}")).await;
        texts(&found, "title").concat()
    };
    assert_eq!(listed("").await, "CBA");
    assert_eq!(listed("assignee_id=ravi").await, "BA");
    assert_eq!(listed("priority=high").await, "CB");
    assert_eq!(listed("reference=lead/1").await, "CA");
    assert_eq!(listed("reference=lead/2,lead/1,lead/3").await, listed("").await);
    assert_eq!(listed("reference=lead/1&assignee_id=mona&status=pending").await, "C");
    assert_eq!(listed("status=completed").await, "");

    let first = app.get("/task/tasks?limit=2").await.expect(200);
    assert_eq!((first["items"].as_array().unwrap().len(), &first["total"]), (2, &json!(3)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("/task/tasks?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((&rest["items"][0]["title"], &rest["next_cursor"]), (&json!("A"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_to_be_missing() {
    let app = app().await;
    let path = format!("/task/tasks/{NOTHING}");
    app.get(&path).await.expect_problem(404, "not_found");
    app.patch(&path, json!({"title": "A"})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_changes_nothing() {
    let mut app = app().await;
    let task = task(&app).await;
    app.speak_as(Role::Viewer);
    app.get("/task/tasks").await.expect(200);
    let refused = app.patch(&format!("/task/tasks/{}", id(&task)), json!({"title": "B"})).await;
    assert_eq!(refused.expect_problem(403, "permission_denied")["required_permission"], "task:write");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_should_be_done_by_now_is_overdue() {
    let app = app().await;
    for (title, due) in
        [("A", "2027-01-20T00:00:00Z"), ("B", "2028-01-01T00:00:00Z"), ("C", "2027-01-21T00:00:00Z")]
    {
        app.post("/task/tasks", json!({"title": title, "due_date": due})).await.expect(201);
    }
    task(&app).await;
    app.clock.advance(chrono::TimeDelta::days(20));
    let listed = async |query: &str| {
        let found = items(&app, &format!("/task/tasks?{query}")).await;
        texts(&found, "title").join(",")
    };
    assert_eq!(listed("overdue=true").await, "C,A");
    assert_eq!(listed("overdue=false").await, "Call Asha,B");
    let late = items(&app, "/task/tasks?overdue=true&limit=1").await;
    app.patch(&format!("/task/tasks/{}", id(&late[0])), json!({"status": "completed"})).await.expect(200);
    assert_eq!(listed("overdue=true").await, "A", "what is done is late no more");
}
