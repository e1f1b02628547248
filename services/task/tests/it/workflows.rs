use bhiv_auth::Role;
use bhiv_testing::Answer;
use serde_json::{Value, json};

use crate::{NOTHING, app, id, items, texts, workflow};

/// A workflow that could be added, if it were not for `change`.
fn new(change: Value) -> Value {
    let mut new = json!({"name": "Call rich leads", "trigger": "lead_created",
                         "condition": "data.budget != null && double(data.budget) > 10000.0",
                         "actions": [{"create_task": {"title": "Call {{ data.name }}"}}]});
    new.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    new
}

fn faults(answer: Answer, code: &str) -> Vec<(String, String)> {
    let problem = answer.expect_problem(422, code);
    let text = |fault: &Value, field| fault[field].as_str().unwrap().to_owned();
    let faults = problem["errors"].as_array().unwrap().iter();
    faults.map(|fault| (text(fault, "pointer"), text(fault, "message"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_added_changed_and_removed() {
    let app = app().await;
    let answer = app.post("/task/workflows", new(json!({}))).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let added = answer.expect(201);
    assert_eq!(location, format!("/task/workflows/{}", id(&added)));
    assert_eq!((&added["enabled"], &added["version"]), (&json!(true), &json!(1)));
    assert_eq!(added["actions"][0]["create_task"]["priority"], "normal");
    assert_eq!(app.get(&location).await.expect(200), added);

    let actions = json!([{"escalate_tasks": {"reference": "lead/{{ data.lead_id }}", "reason": "rich"}}]);
    let change = json!({"name": "Escalate", "trigger": "lead_updated", "condition": null, "enabled": false,
                        "actions": actions});
    let changed = app.patch(&location, change.clone()).await.expect(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(changed["version"], 2);
    assert_eq!(app.patch(&location, change).await.expect(200), changed, "nothing more to change");

    app.delete(&location).await.expect(204);
    app.get(&location).await.expect_problem(404, "not_found");
    assert_eq!(app.audited().await, ["workflow.create", "workflow.update", "workflow.delete"]);
    assert_eq!(app.recorded_names().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_is_cel() {
    let app = app().await;
    let refused = app.post("/task/workflows", new(json!({"condition": "data.budget >\n 1 1"}))).await;
    let faults = faults(refused, "invalid_condition");
    assert_eq!(faults[0].0, "/condition");
    assert!(faults[0].1.starts_with("line 2, column "), "{faults:?}");
    let loops = "data.a.all(x, data.b.all(y, x != y))";
    app.post("/task/workflows", new(json!({"condition": loops})))
        .await
        .expect_problem(422, "invalid_condition");

    let path = format!("/task/workflows/{}", id(&workflow(&app, "A").await));
    app.patch(&path, json!({"condition": "("})).await.expect_problem(422, "invalid_condition");
    assert_eq!(app.get(&path).await.expect(200)["condition"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_templates() {
    let app = app().await;
    let actions = json!([
        {"create_task": {"title": "Call {{ data.name }", "description": "fine"}},
        {"escalate_tasks": {"reference": "lead/1", "reason": "first\n{% if %}"}},
    ]);
    let refused = app.post("/task/workflows", new(json!({"actions": actions}))).await;
    let faults = faults(refused, "invalid_template");
    let pointers: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/actions/0/create_task/title", "/actions/1/escalate_tasks/reason"]);
    assert!(faults[0].1.starts_with("line 1: ") && faults[1].1.starts_with("line 2: "), "{faults:?}");

    let path = format!("/task/workflows/{}", id(&workflow(&app, "A").await));
    let change = json!({"actions": [{"create_task": {"title": "{{"}}]});
    app.patch(&path, change).await.expect_problem(422, "invalid_template");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_is_an_event_that_arrives_here() {
    let app = app().await;
    for trigger in ["lead_deleted", "task_created", "audit_recorded"] {
        let refused = app.post("/task/workflows", new(json!({"trigger": trigger}))).await;
        let faults = faults(refused, "unknown_trigger");
        assert_eq!(faults[0].0, "/trigger");
        assert!(faults[0].1.contains("lead_created, lead_updated, "), "{faults:?}");
    }
    let path = format!("/task/workflows/{}", id(&workflow(&app, "A").await));
    app.patch(&path, json!({"trigger": "x"})).await.expect_problem(422, "unknown_trigger");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_one_of_those_that_there_are() {
    let app = app().await;
    let pointers = async |actions: Value| {
        let refused = app.post("/task/workflows", new(json!({"actions": actions}))).await;
        let faults = faults(refused, "invalid_input");
        faults.into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>()
    };
    assert_eq!(pointers(json!([])).await, ["/actions"]);
    assert_eq!(pointers(json!([{}])).await, ["/actions/0"]);
    assert_eq!(pointers(json!([{"send_mail": {}}])).await, ["/actions/0/send_mail"]);
    assert_eq!(pointers(json!([{"create_task": {}}])).await, ["/actions/0/create_task/title"]);
    let both = json!([{"create_task": {"title": "A"}, "escalate_tasks": {"reference": "lead/1"}}]);
    assert_eq!(pointers(both).await, ["/actions/0"]);
    let strange = json!([{"create_task": {"title": "A", "due_in_hours": -1, "colour": "red"}}]);
    assert_eq!(
        pointers(strange).await,
        ["/actions/0/create_task/colour", "/actions/0/create_task/due_in_hours"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    let added = workflow(&app, "A").await;
    app.patch(&format!("/task/workflows/{}", id(&added)), json!({"enabled": false})).await.expect(200);
    let leads = items(&app, "/task/workflows?trigger=lead_created").await;
    assert_eq!(texts(&leads, "name"), ["Test", "Follow up with a new lead"]);
    let off = items(&app, "/task/workflows?enabled=false").await;
    assert_eq!(texts(&off, "name"), ["Test"]);
    let first = app.get("/task/workflows?limit=1").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("/task/workflows?cursor={cursor}")).await.expect(200);
    let all = first["total"].as_u64().unwrap();
    assert_eq!(rest["items"].as_array().unwrap().len() as u64, all - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_are_found_sorted_and_switched_together() {
    let app = app().await;
    for name in ["Zebra crossing", "Aardvark", "Zealous"] {
        app.clock.advance(chrono::TimeDelta::minutes(1));
        app.post("/task/workflows", new(json!({"name": name}))).await.expect(201);
    }
    let names = async |query: &str| {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/task/workflows?limit=1&q={query}{cursor}")).await.expect(200);
            seen.push(page["items"][0]["name"].as_str().unwrap().to_owned());
            let Some(next) = page["next_cursor"].as_str() else { return seen };
            cursor = format!("&cursor={next}");
        }
    };
    assert_eq!(names("ze&sort=name").await, ["Zealous", "Zebra crossing"]);
    assert_eq!(names("ze&sort=-name").await, ["Zebra crossing", "Zealous"]);
    assert_eq!(names("ze").await, ["Zealous", "Zebra crossing"], "the newest first");
    assert_eq!(names("ze+cross").await, ["Zebra crossing"]);

    let found = items(&app, "/task/workflows?q=ze&sort=name").await;
    let ids = json!([found[0]["id"], NOTHING, found[1]["id"]]);
    let off = app.post("/task/workflows/bulk", json!({"ids": ids, "enabled": false})).await.expect(200);
    assert_eq!((&off["succeeded"], &off["failed"]), (&json!(2), &json!(1)));
    assert_eq!(off["results"][1]["problem"]["code"], "not_found");
    let off = items(&app, "/task/workflows?q=ze&enabled=false&sort=-updated_at").await;
    assert_eq!(texts(&off, "name").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_changes_how_the_system_reacts() {
    let mut app = app().await;
    let path = format!("/task/workflows/{}", id(&workflow(&app, "A").await));
    app.speak_as(Role::Manager);
    app.get(&path).await.expect(200);
    for refused in [
        app.post("/task/workflows", new(json!({}))).await,
        app.post("/task/workflows/bulk", json!({"ids": [NOTHING], "enabled": false})).await,
        app.post("/task/runs/bulk", json!({"ids": [NOTHING], "action": "retry"})).await,
        app.patch(&path, json!({"enabled": false})).await,
        app.delete(&path).await,
    ] {
        assert_eq!(refused.expect_problem(403, "permission_denied")["required_permission"], "task:admin");
    }
    app.speak_as(Role::Admin);
    let nowhere = format!("/task/workflows/{NOTHING}");
    app.patch(&nowhere, json!({"enabled": false})).await.expect_problem(404, "not_found");
    app.delete(&nowhere).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_speaks_of_what_its_event_has() {
    let app = app().await;
    let refused = app
        .post("/task/workflows", new(json!({"condition": "data.colour == 'red' && data.budget > 1"})))
        .await;
    let faults = faults(refused, "invalid_condition");
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].1.starts_with("line 1, column 1: lead_created has no 'data.colour'"), "{faults:?}");
    assert!(faults[1].1.starts_with("line 1, column 25: "), "{faults:?}");
    // Nor may the trigger become one that the condition does not fit.
    let added = app.post("/task/workflows", new(json!({}))).await.expect(201);
    let path = format!("/task/workflows/{}", id(&added));
    let other = app.patch(&path, json!({"trigger": "delivery_delayed"})).await;
    other.expect_problem(422, "invalid_condition");
    app.clock.advance(chrono::TimeDelta::hours(1));
    app.patch(&path, json!({"trigger": "delivery_delayed", "condition": null})).await.expect(200);
    let history = app.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["total"], 2);
    assert_eq!(
        history["items"][0]["changes"]["trigger"],
        json!({"before": "lead_created", "after": "delivery_delayed"})
    );
    let first = app.get(&format!("{path}?as_of={}", added["updated_at"].as_str().unwrap())).await.expect(200);
    assert_eq!(first["trigger"], "lead_created");
}
