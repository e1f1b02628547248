use bhiv_events::task::TaskOverdue;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use serde_json::json;
use task::{Config, TaskService};

use crate::{app, id};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_told_once_by_one_of_the_replicas() {
    let quick = || Config { timer_check_ms: 20, ..Config::default() };
    let app = TestApp::start::<TaskService>(quick()).await;
    let other = TestApp::replica_of::<TaskService>(&app, |_| quick());
    let mut tasks = Vec::new();
    for hours in [1, 1, 1, 48] {
        let due = app.clock.now() + TimeDelta::hours(hours);
        tasks.push(app.post("/task/tasks", json!({"title": "Call", "due_date": due})).await.expect(201));
    }
    let path = |task| format!("/task/tasks/{}", id(task));
    app.patch(&path(&tasks[0]), json!({"status": "completed"})).await.expect(200);
    app.clock.advance(TimeDelta::hours(2));
    other.clock.advance(TimeDelta::hours(2));
    let told = async || app.recorded_as::<TaskOverdue>().await;
    app.eventually(async || (told().await.len() == 2).then_some(())).await;
    let late: Vec<_> = told().await.iter().map(|event| json!(event.task_id)).collect();
    assert!(late.contains(&tasks[1]["id"]) && late.contains(&tasks[2]["id"]), "what is done is not late");
    let task = app.get(&path(&tasks[1])).await.expect(200);
    assert!(task["overdue_at"].is_string());
    let recorded = app.recorded().await;
    let event = recorded
        .iter()
        .find(|event| json!(event.data["task_id"]) == tasks[1]["id"] && event.name() == "task_overdue");
    assert_eq!(json!(event.unwrap().correlationid), tasks[1]["correlation_id"], "each in its own story");

    // Whoever is given more time is late again when that is over, and only then.
    let more = app.clock.now() + TimeDelta::hours(1);
    let given = app.patch(&path(&tasks[1]), json!({"due_date": more})).await.expect(200);
    assert_eq!(given["overdue_at"], json!(null));
    app.clock.advance(TimeDelta::hours(2));
    other.clock.advance(TimeDelta::hours(2));
    app.eventually(async || (told().await.len() == 3).then_some(())).await;
    assert_eq!(json!(told().await[2].task_id), tasks[1]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_that_goes_on_is_not_completed() {
    let app = app().await;
    let task = crate::task(&app).await;
    let path = format!("/task/tasks/{}", id(&task));
    app.patch(&path, json!({"status": "completed"})).await.expect(200);
    let again = app.patch(&path, json!({"status": "in_progress"})).await.expect(200);
    assert_eq!(again["completed_at"], json!(null));
}
