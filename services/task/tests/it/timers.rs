//! What the clock does about tasks, once, with two replicas.

use bhiv_events::task::{TaskCreated, TaskEscalated, TaskSlaBreached};
use bhiv_testing::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use task::{Config, TaskService};

use crate::{NOTHING, app, id, items, texts};

async fn two() -> [TestApp; 2] {
    let quick = || Config { timer_check_ms: 20, ..Config::default() };
    let app = TestApp::start::<TaskService>(quick()).await;
    let other = TestApp::replica_of::<TaskService>(&app, |_| quick());
    [app, other]
}

/// They share a clock.
fn later([app, other]: &[TestApp; 2], time: TimeDelta) {
    app.clock.advance(time);
    assert_eq!(app.clock.now(), other.clock.now());
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_done_by_then_is_escalated_once() {
    let replicas = two().await;
    let app = &replicas[0];
    let at = app.clock.now() + TimeDelta::hours(1);
    let new = |title: &str| json!({"title": title, "escalate_at": at});
    let late = app.post("/task/tasks", new("Late")).await.expect(201);
    let done = app.post("/task/tasks", new("Done")).await.expect(201);
    let path = |task: &Value| format!("/task/tasks/{}", id(task));
    app.patch(&path(&done), json!({"status": "completed"})).await.expect(200);
    later(&replicas, TimeDelta::hours(2));
    let escalated = app
        .eventually(async || {
            let task = app.get(&path(&late)).await.expect(200);
            (task["status"] == "escalated").then_some(task)
        })
        .await;
    assert_eq!((&escalated["escalate_at"], &escalated["responded_at"]), (&json!(null), &json!(null)));
    // Whoever takes it up again is not called again at once; with another time it is.
    let taken = app.patch(&path(&late), json!({"status": "in_progress"})).await.expect(200);
    assert!(taken["responded_at"].is_string(), "somebody takes it up, however late");
    let again = app.clock.now() + TimeDelta::hours(1);
    app.patch(&path(&late), json!({"escalate_at": again})).await.expect(200);
    later(&replicas, TimeDelta::hours(2));
    app.eventually(async || (app.recorded_as::<TaskEscalated>().await.len() == 2).then_some(())).await;
    let told = app.recorded_as::<TaskEscalated>().await;
    assert!(told.iter().all(|told| json!(told.task_id) == late["id"]));
    assert!(told[0].reason.as_deref().unwrap().starts_with("it was not done by 20"), "{told:?}");
    assert_eq!(app.get(&path(&done)).await.expect(200)["status"], "completed");

    let past = json!({"title": "x", "escalate_at": "2020-01-01T00:00:00Z"});
    let problem = app.post("/task/tasks", past).await.expect_problem(422, "past_date");
    assert_eq!(problem["errors"][0]["pointer"], "/escalate_at");
    let past = json!({"escalate_at": "2020-01-01T00:00:00Z"});
    app.patch(&path(&late), past).await.expect_problem(422, "past_date");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_promised_of_a_priority_is_watched() {
    let replicas = two().await;
    let app = &replicas[0];
    let level =
        json!({"respond_within_minutes": 30, "resolve_within_minutes": 120, "escalate_after_minutes": 240});
    let promised = app.put("/task/service-levels/urgent", level.clone()).await.expect(200);
    assert_eq!((&promised["priority"], &promised["version"]), (&json!("urgent"), &json!(1)));
    assert_eq!(app.put("/task/service-levels/urgent", level).await.expect(200)["version"], 2);
    let levels = app.get("/task/service-levels").await.expect(200);
    assert_eq!(texts(levels["items"].as_array().unwrap(), "priority"), ["urgent"]);

    let now = app.clock.now();
    let new = |title: &str, priority: &str| json!({"title": title, "priority": priority});
    let waits = app.post("/task/tasks", new("Waits", "urgent")).await.expect(201);
    assert_eq!(time(&waits["respond_by"]), now + TimeDelta::minutes(30));
    assert_eq!(time(&waits["due_date"]), now + TimeDelta::minutes(120));
    assert_eq!(time(&waits["escalate_at"]), now + TimeDelta::minutes(240));
    let taken = app.post("/task/tasks", new("Taken", "urgent")).await.expect(201);
    let path = format!("/task/tasks/{}", id(&taken));
    let taken = app.patch(&path, json!({"status": "in_progress"})).await.expect(200);
    assert_eq!(time(&taken["responded_at"]), now);
    let other = app.post("/task/tasks", new("Other", "normal")).await.expect(201);
    assert_eq!((&other["respond_by"], &other["due_date"]), (&json!(null), &json!(null)));

    later(&replicas, TimeDelta::minutes(31));
    app.eventually(async || (!app.recorded_as::<TaskSlaBreached>().await.is_empty()).then_some(())).await;
    // Another look by both replicas makes no second one.
    later(&replicas, TimeDelta::minutes(240));
    app.eventually(async || (app.recorded_as::<TaskEscalated>().await.len() == 2).then_some(())).await;
    let [breach] = app.recorded_as::<TaskSlaBreached>().await.try_into().unwrap();
    assert_eq!((json!(breach.task_id), breach.priority.as_str()), (waits["id"].clone(), "urgent"));

    app.put("/task/service-levels/whatever", json!({})).await.expect_problem(404, "not_found");
    app.put("/task/service-levels/low", json!({"respond_within_minutes": 0}))
        .await
        .expect_problem(422, "invalid_input");
    app.delete("/task/service-levels/urgent").await.expect(204);
    app.delete("/task/service-levels/urgent").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_comes_again_and_again() {
    let replicas = two().await;
    let app = &replicas[0];
    // The clock of tests begins at 08:00 on Friday, the 15th of January 2027.
    let task = json!({"title": "Count the stock", "due_in_hours": 8, "labels": ["stock"]});
    let new = json!({"cron": "30 14 * * MON-FRI", "timezone": "Asia/Kolkata", "task": task});
    let recurring = app.post("/task/recurring", new).await.expect(201);
    assert_eq!(recurring["next_at"], "2027-01-15T09:00:00Z");
    let path = format!("/task/recurring/{}", id(&recurring));
    later(&replicas, TimeDelta::hours(2));
    let came = async || items(app, "/task/tasks?sort=created_at").await;
    app.eventually(async || (came().await.len() == 1).then_some(())).await;
    let [first] = came().await.try_into().unwrap();
    assert_eq!((&first["title"], &first["recurring_id"]), (&json!("Count the stock"), &recurring["id"]));
    assert_eq!(time(&first["due_date"]), app.clock.now() + TimeDelta::hours(8));
    assert_eq!(app.get(&path).await.expect(200)["next_at"], "2027-01-18T09:00:00Z", "not on Saturday");

    // However many times were missed, it comes once.
    later(&replicas, TimeDelta::days(14));
    app.eventually(async || (came().await.len() == 2).then_some(())).await;
    let after = app.get(&path).await.expect(200);
    assert_eq!(after["next_at"], "2027-02-01T09:00:00Z");
    assert_eq!(app.recorded_as::<TaskCreated>().await.len(), 2);
    let stories = came().await;
    assert_ne!(stories[0]["correlation_id"], stories[1]["correlation_id"]);

    let off = app.patch(&path, json!({"enabled": false})).await.expect(200);
    assert_eq!((&off["next_at"], &off["version"]), (&json!(null), &json!(2)));
    assert_eq!(items(app, "/task/recurring?enabled=false").await, std::slice::from_ref(&off));
    later(&replicas, TimeDelta::days(7));
    let on =
        app.patch(&path, json!({"enabled": true, "cron": "0 0 1 * *", "timezone": "UTC"})).await.expect(200);
    assert_eq!(on["next_at"], "2027-03-01T00:00:00Z");
    assert_eq!(came().await.len(), 2, "what is off does not come");
    assert_eq!(items(app, &format!("{path}/history")).await.len(), 3);
    app.delete(&path).await.expect(204);
    app.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_cannot_be_is_refused() {
    let app = app().await;
    let refused = async |cron: &str, timezone: &str| {
        let new = json!({"cron": cron, "timezone": timezone, "task": {"title": "x"}});
        let problem = app.post("/task/recurring", new).await.expect_problem(422, "invalid_schedule");
        problem["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("soon", "UTC").await, "/cron");
    assert_eq!(refused("* * * * * *", "UTC").await, "/cron");
    assert_eq!(refused("0 0 30 2 *", "UTC").await, "/cron");
    assert_eq!(refused("0 9 * * *", "Mars/Base").await, "/timezone");
    let task = json!({"title": "", "due_in_hours": 9999, "colour": "red"});
    let new = json!({"cron": "0 9 * * *", "task": task});
    app.post("/task/recurring", new).await.expect_problem(422, "invalid_input");
    let nothing = format!("/task/recurring/{NOTHING}");
    app.get(&nothing).await.expect_problem(404, "not_found");
    app.patch(&nothing, json!({"enabled": false})).await.expect_problem(404, "not_found");
    app.delete(&nothing).await.expect_problem(404, "not_found");
}
