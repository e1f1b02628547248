use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use bhiv_events::task::{TaskEscalated, WorkflowTriggered};
use bhiv_outbox::Outcome;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{NOTHING, app, id, items, texts, workflow};

/// The service with no workflow but those that the test adds.
async fn bare() -> TestApp {
    let app = app().await;
    for shipped in items(&app, "/task/workflows").await {
        app.delete(&format!("/task/workflows/{}", id(&shipped))).await.expect(204);
    }
    app
}

/// The only run.
async fn run(app: &TestApp) -> Value {
    let [run] = items(app, "/task/runs").await.try_into().unwrap();
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_runs_its_workflows_once() {
    let app = bare().await;
    let workflow = workflow(&app, "Call {{ data.name }} of {{ event.subject }}").await;
    let event = app.event(&LeadCreated::sample());
    app.deliver_twice(&event).await;

    let [task] = items(&app, "/task/tasks").await.try_into().unwrap();
    assert_eq!(task["title"], format!("Call Asha Verma of {}", event.subject));
    assert_eq!(task["workflow_id"], workflow["id"]);
    assert_eq!(task["correlation_id"], json!(event.correlationid));

    let run = run(&app).await;
    let effects = json!([format!("created task/{}", id(&task))]);
    assert_eq!((&run["outcome"], &run["effects"], &run["error"]), (&json!("done"), &effects, &json!(null)));
    assert_eq!((&run["workflow_id"], &run["workflow_version"]), (&workflow["id"], &json!(1)));
    assert_eq!((&run["event_id"], &run["event_type"]), (&json!(event.id), &json!("lead_created")));
    assert_eq!(run["correlation_id"], json!(event.correlationid));

    let [triggered] = app.recorded_as::<WorkflowTriggered>().await.try_into().unwrap();
    assert_eq!((json!(triggered.run_id), json!(triggered.effects)), (run["id"].clone(), effects));
    let recorded = app.recorded().await;
    let reactions: Vec<_> = recorded.iter().filter(|event| event.actor == "service/task").collect();
    let names: Vec<_> = reactions.iter().map(|event| event.name()).collect();
    assert_eq!(names, ["task_created", "workflow_triggered"], "and no audit row");
    assert!(reactions.iter().all(|reaction| reaction.causationid == Some(event.id)));
    assert!(reactions.iter().all(|reaction| reaction.correlationid == event.correlationid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_decides() {
    let app = bare().await;
    let workflow = workflow(&app, "Call {{ data.name }}").await;
    let path = format!("/task/workflows/{}", id(&workflow));
    let outcome = async |condition: &str| {
        app.patch(&path, json!({"condition": condition})).await.expect(200);
        let event = app.event(&LeadCreated::sample());
        app.deliver_twice(&event).await;
        let [run] = items(&app, &format!("/task/runs?event_id={}", event.id)).await.try_into().unwrap();
        (run["outcome"].as_str().unwrap().to_owned(), run["error"].clone())
    };
    let budget = "double(data.budget) >";
    assert_eq!(outcome(&format!("{budget} 1000.0")).await, ("done".to_owned(), json!(null)));
    let not_met = "condition_not_met".to_owned();
    assert_eq!(outcome(&format!("{budget} 1e9")).await, (not_met.clone(), json!(null)));
    // What only shows when it is tried.
    let no_key = json!("No such key: Asha Verma");
    assert_eq!(outcome("{'x': 1}[data.name] == 1").await, (not_met.clone(), no_key));
    let no_bool = json!("it is string, neither true nor false");
    assert_eq!(outcome("data.name + '!'").await, (not_met, no_bool));
    assert_eq!(items(&app, "/task/tasks").await.len(), 1);
    assert_eq!(app.recorded_as::<WorkflowTriggered>().await.len(), 1, "only what was done is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_fails_does_nothing_and_stops_no_other() {
    let app = bare().await;
    let actions =
        json!([{"create_task": {"title": "Fine"}}, {"create_task": {"title": "{{ data.colour }}"}}]);
    let broken = json!({"name": "Broken", "trigger": "lead_created", "actions": actions});
    let broken = app.post("/task/workflows", broken).await.expect(201);
    workflow(&app, "Call {{ data.name }}").await;
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;

    let tasks = items(&app, "/task/tasks").await;
    assert_eq!(texts(&tasks, "title"), ["Call Asha Verma"]);
    let runs = items(&app, "/task/runs").await;
    assert_eq!(texts(&runs, "outcome"), ["done", "failed"]);
    assert_eq!(runs[1]["error"], "/actions/1/create_task/title: line 1: undefined value");
    assert_eq!((&runs[1]["workflow_id"], &runs[1]["effects"]), (&broken["id"], &json!([])));
    assert_eq!(app.recorded_names().await, ["task_created", "workflow_triggered"]);

    // Once it is mended, it is tried again, and then it is done.
    let path = format!("/task/runs/{}", id(&runs[1]));
    assert_eq!(app.get(&path).await.expect(200), runs[1]);
    let retry = format!("{path}/retry");
    let still = app.post(&retry, json!({})).await.expect(200);
    assert_eq!((&still["outcome"], &still["attempts"]), (&json!("failed"), &json!(2)));
    let mended = json!({"actions": [{"create_task": {"title": "Mended for {{ data.name }}"}}]});
    app.patch(&format!("/task/workflows/{}", id(&broken)), mended).await.expect(200);
    let done = app.post(&retry, json!({})).await.expect(200);
    assert_eq!(
        (&done["outcome"], &done["attempts"], &done["error"]),
        (&json!("done"), &json!(3), &json!(null))
    );
    assert_eq!((&done["workflow_version"], &done["correlation_id"]), (&json!(2), &runs[1]["correlation_id"]));
    let tasks = items(&app, "/task/tasks").await;
    assert_eq!(texts(&tasks, "title"), ["Mended for Asha Verma", "Call Asha Verma"]);
    assert_eq!(tasks[0]["correlation_id"], done["correlation_id"]);
    app.post(&retry, json!({})).await.expect_problem(409, "run_done");
    app.post(&format!("/task/runs/{NOTHING}/retry"), json!({})).await.expect_problem(404, "not_found");
    app.get(&format!("/task/runs/{NOTHING}")).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_again_says_why() {
    let app = bare().await;
    let broken = workflow(&app, "{{ data.colour }}").await;
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    let retry = format!("/task/runs/{}/retry", id(&run(&app).await));
    app.delete(&format!("/task/workflows/{}", id(&broken))).await.expect(204);
    app.post(&retry, json!({})).await.expect_problem(409, "workflow_gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_assigned_in_turn_or_to_whoever_has_least() {
    let app = bare().await;
    let add = async |by: &str| {
        let assign = json!({"among": ["ravi", "meera", "asha"], "by": by});
        let actions = json!([{"create_task": {"title": "Call", "assign": assign}}]);
        let new = json!({"name": by, "trigger": "lead_created", "actions": actions});
        app.post("/task/workflows", new).await.expect(201)
    };
    let assigned = async |count: usize| {
        for _ in 0..count {
            app.deliver_twice(&app.event(&LeadCreated::sample())).await;
        }
        let mut tasks = items(&app, "/task/tasks?sort=created_at").await;
        tasks.sort_by_key(|task| task["id"].to_string());
        texts(&tasks, "assignee_id").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let in_turn = add("round_robin").await;
    assert_eq!(assigned(4).await, ["ravi", "meera", "asha", "ravi"]);
    app.delete(&format!("/task/workflows/{}", id(&in_turn))).await.expect(204);
    add("least_loaded").await;
    // Ravi has two, the others have one.
    assert_eq!(assigned(3).await[4..], ["meera", "asha", "ravi"]);
    let nobody = json!({"among": [], "by": "chance"});
    let actions = json!([{"create_task": {"title": "Call", "assign": nobody}}]);
    let new = json!({"name": "x", "trigger": "lead_created", "actions": actions});
    let problem = app.post("/task/workflows", new).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_no_contract_has_is_no_dead_letter() {
    let app = bare().await;
    workflow(&app, "Call {{ data.name }}").await;
    let mut event = app.event(&LeadCreated::sample());
    event.data = json!("nothing");
    app.deliver_twice(&event).await;
    assert_eq!(run(&app).await["outcome"], "failed");

    let mut event = app.event(&LeadCreated::sample());
    event.data = json!({"name": format!("A\u{0}sha{}", "!".repeat(300))});
    app.deliver_twice(&event).await;
    let [task] = items(&app, "/task/tasks").await.try_into().unwrap();
    let title = task["title"].as_str().unwrap();
    assert!(title.starts_with("Call Asha!!!") && title.len() == 200, "{title}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disabled_or_waits_for_something_else_does_not_run() {
    let app = bare().await;
    let workflow = workflow(&app, "Call {{ data.name }}").await;
    let path = format!("/task/workflows/{}", id(&workflow));
    for change in [json!({"enabled": false}), json!({"enabled": true, "trigger": "lead_updated"})] {
        app.patch(&path, change).await.expect(200);
        app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    }
    assert_eq!(items(&app, "/task/runs").await, [json!(null); 0]);
    assert_eq!(items(&app, "/task/tasks").await, [json!(null); 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_tasks_are_escalated_and_their_state_shows_it() {
    let app = bare().await;
    let reference = format!("lead/{}", LeadCreated::sample().lead_id);
    let mut tasks = Vec::new();
    for status in ["pending", "blocked", "completed", "escalated"] {
        let new = json!({"title": status, "reference": reference});
        let task = app.post("/task/tasks", new).await.expect(201);
        app.patch(&format!("/task/tasks/{}", id(&task)), json!({"status": status})).await.expect(200);
        tasks.push(task);
    }
    app.post("/task/tasks", json!({"title": "another", "reference": "lead/2"})).await.expect(201);
    let actions =
        json!([{"escalate_tasks": {"reference": "{{ event.subject }}", "reason": "{{ data.name }}"}}]);
    let new = json!({"name": "Escalate", "trigger": "lead_created", "actions": actions});
    app.post("/task/workflows", new).await.expect(201);
    let event = app.event(&LeadCreated::sample());
    app.deliver_twice(&event).await;

    let escalated = items(&app, "/task/tasks?status=escalated").await;
    assert_eq!(texts(&escalated, "title"), ["escalated", "blocked", "pending"]);
    assert_eq!(run(&app).await["effects"], json!([format!("escalated 2 of the tasks about {reference}")]));
    let told = app.recorded_as::<TaskEscalated>().await;
    let by_workflow: Vec<_> =
        told.iter().filter(|told| told.reason.as_deref() == Some("Asha Verma")).collect();
    assert_eq!(by_workflow.len(), 2);
    let state = app.get(&format!("/task/workflow-state?task_id={}", id(&tasks[1]))).await.expect(200);
    let last = state["transitions"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["from"], &last["by"]), (&json!("blocked"), &json!("service/task")));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_tasks_are_cancelled_and_those_that_are_over_stay() {
    let app = bare().await;
    let reference = format!("lead/{}", LeadCreated::sample().lead_id);
    for status in ["pending", "in_progress", "blocked", "completed", "escalated", "cancelled"] {
        let task =
            app.post("/task/tasks", json!({"title": status, "reference": reference})).await.expect(201);
        app.patch(&format!("/task/tasks/{}", id(&task)), json!({"status": status})).await.expect(200);
    }
    app.post("/task/tasks", json!({"title": "another", "reference": "lead/2"})).await.expect(201);
    let actions = json!([{"cancel_tasks": {"reference": "{{ event.subject }}"}}]);
    let new = json!({"name": "Cancel", "trigger": "lead_created", "actions": actions});
    app.post("/task/workflows", new).await.expect(201);
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;

    let cancelled = items(&app, "/task/tasks?status=cancelled").await;
    assert_eq!(texts(&cancelled, "title"), ["cancelled", "escalated", "blocked", "in_progress", "pending"]);
    assert_eq!(texts(&items(&app, "/task/tasks?status=completed").await, "title"), ["completed"]);
    assert_eq!(texts(&items(&app, "/task/tasks?status=pending").await, "title"), ["another"]);
    assert_eq!(run(&app).await["effects"], json!([format!("cancelled 4 of the tasks about {reference}")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_filtered_and_paged_and_outlive_their_workflow() {
    let app = bare().await;
    let (one, other) = (workflow(&app, "A").await, workflow(&app, "B").await);
    let (first, second) = (app.event(&LeadCreated::sample()), app.event(&LeadCreated::sample()));
    for event in [&first, &second] {
        assert_eq!(app.deliver(event).await, [Outcome::Done]);
    }
    app.delete(&format!("/task/workflows/{}", id(&one))).await.expect(204);
    let found = async |query: String| {
        let runs = items(&app, &format!("/task/runs?{query}")).await;
        runs.iter().map(|run| (run["workflow_id"].clone(), run["event_id"].clone())).collect::<Vec<_>>()
    };
    let pair = |workflow: &Value, event: &bhiv_events::Event| (workflow["id"].clone(), json!(event.id));
    let all = [pair(&other, &second), pair(&one, &second), pair(&other, &first), pair(&one, &first)];
    assert_eq!(found(String::new()).await, all);
    assert_eq!(found(format!("workflow_id={}", id(&one))).await, [all[1].clone(), all[3].clone()]);
    assert_eq!(found(format!("event_id={}", second.id)).await, all[..2]);
    assert_eq!(found(format!("correlation_id={}", first.correlationid)).await, all[2..]);
    let page = app.get("/task/runs?limit=3").await.expect(200);
    assert_eq!(page["total"], 4);
    assert_eq!(found(format!("cursor={}", page["next_cursor"].as_str().unwrap())).await, all[3..]);
}
