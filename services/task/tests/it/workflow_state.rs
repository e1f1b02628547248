use chrono::TimeDelta;
use serde_json::json;

use crate::{NOTHING, app, id, task};

#[tokio::test(flavor = "multi_thread")]
async fn a_state_shows_how_the_task_came_there() {
    let app = app().await;
    let task = task(&app).await;
    let path = format!("/task/workflow-state?task_id={}", id(&task));
    assert_eq!(
        app.get(&path).await.expect(200),
        json!({
            "task_id": task["id"], "current": "pending", "previous": null, "transitions": [],
            "allowed": ["in_progress", "blocked", "completed", "escalated", "cancelled"],
        })
    );

    let put = json!({"task_id": task["id"], "state": "in_progress"});
    let moved = app.put("/task/workflow-state", put).await.expect(200);
    assert_eq!((&moved["previous"], &moved["current"]), (&json!("pending"), &json!("in_progress")));
    app.clock.advance(TimeDelta::minutes(5));
    app.patch(&format!("/task/tasks/{}", id(&task)), json!({"status": "completed"})).await.expect(200);
    assert_eq!(
        app.get(&path).await.expect(200),
        json!({
            "task_id": task["id"], "current": "completed", "previous": "in_progress", "allowed": ["in_progress"],
            "transitions": [
                {"from": "pending", "to": "in_progress", "at": task["created_at"], "by": "user/admin-1"},
                {"from": "in_progress", "to": "completed", "at": "2027-01-15T08:05:00Z", "by": "user/admin-1"},
            ],
        })
    );
    assert_eq!(app.recorded_names().await, ["task_created", "task_completed"]);
    assert_eq!(app.audited().await, ["task.create", "task.move", "task.move"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn putting_the_state_that_it_has_changes_nothing() {
    let app = app().await;
    let task = task(&app).await;
    let put = json!({"task_id": task["id"], "state": "blocked"});
    let first = app.put("/task/workflow-state", put.clone()).await.expect(200);
    assert_eq!(app.put("/task/workflow-state", put).await.expect(200), first);
    assert_eq!(app.audited().await, ["task.create", "task.move"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused() {
    let app = app().await;
    let task = task(&app).await;
    let put = |task_id: &str, state: &str| {
        app.put("/task/workflow-state", json!({"task_id": task_id, "state": state}))
    };
    put(id(&task), "cancelled").await.expect(200);
    let refused = put(id(&task), "in_progress").await.expect_problem(409, "illegal_transition");
    assert_eq!(refused["allowed"], json!([]));
    let refused = put(NOTHING, "completed").await.expect_problem(422, "unknown_reference");
    assert_eq!(refused["errors"][0]["pointer"], "/task_id");
    put(id(&task), "asleep").await.expect_problem(422, "invalid_input");
    app.get(&format!("/task/workflow-state?task_id={NOTHING}")).await.expect_problem(404, "not_found");
    app.get("/task/workflow-state").await.expect_problem(422, "invalid_input");
}
