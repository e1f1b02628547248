use bhiv_auth::Role;
use bhiv_events::task::TaskReviewed;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{NOTHING, app, id, items};

/// A task of ravi's that is done.
async fn done(app: &TestApp, due_hours: i64, took_hours: i64) -> Value {
    let due = app.clock.now() + TimeDelta::hours(due_hours);
    let new = json!({"title": "Call", "assignee_id": "ravi", "due_date": due});
    let task = app.post("/task/tasks", new).await.expect(201);
    app.clock.advance(TimeDelta::hours(took_hours));
    app.patch(&format!("/task/tasks/{}", id(&task)), json!({"status": "completed"})).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_is_reviewed_with_a_score_made_of_its_parts() {
    let app = app().await;
    let task = done(&app, 5, 1).await;
    let dhi = json!({"compliance": 1, "efficiency": 0.5, "quality": 0.5, "timeliness": 0});
    let new = json!({"task_id": task["id"], "status": "approved", "comments": "Fine", "dhi": dhi});
    let review = app.post("/task/review", new).await.expect(201);
    assert_eq!((&review["dhi_score"], &review["reviewer_id"]), (&json!(0.65), &json!("admin-1")));
    assert_eq!(app.get(&format!("/task/reviews/{}", id(&review))).await.expect(200), review);
    let listed = format!("/task/reviews?task_id={}&status=approved&reviewer_id=admin-1", id(&task));
    assert_eq!(items(&app, &listed).await, std::slice::from_ref(&review));
    let [event] = app.recorded_as::<TaskReviewed>().await.try_into().unwrap();
    assert_eq!((event.dhi_score, event.assignee_id.as_deref()), (Some(0.65), Some("ravi")));
    assert_eq!(review["correlation_id"], task["correlation_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_changes_opens_the_task_again() {
    let app = app().await;
    let task = done(&app, 5, 1).await;
    let new = json!({"task_id": task["id"], "status": "changes_requested", "comments": "Again"});
    let review = app.post("/task/review", new).await.expect(201);
    let path = format!("/task/tasks/{}", id(&task));
    let open = app.get(&path).await.expect(200);
    assert_eq!((&open["status"], &open["completed_at"]), (&json!("in_progress"), &json!(null)));
    let early = json!({"task_id": task["id"], "status": "approved"});
    let problem = app.post("/task/review", early).await.expect_problem(409, "task_not_completed");
    assert_eq!(problem["task_status"], "in_progress");
    assert_eq!(review["dhi_score"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_that_make_no_sense_are_refused() {
    let app = app().await;
    let task = done(&app, 5, 1).await;
    let send = async |body: Value, user: &str, role: Role| {
        let request = app.request(Method::POST, "/task/review").bearer_auth(app.token_of(user, role));
        TestApp::read(request.json(&body)).await
    };
    let approve = json!({"task_id": task["id"], "status": "approved"});
    send(approve.clone(), "ravi", Role::Manager).await.expect_problem(409, "own_task");
    let mut as_other = approve.clone();
    as_other["reviewer_id"] = json!("meera");
    send(as_other.clone(), "asha", Role::Manager).await.expect_problem(403, "not_your_review");
    assert_eq!(send(as_other, "boss", Role::Admin).await.expect(201)["reviewer_id"], "meera");
    // Nor may who did it say that another one looked at it.
    let mut by_other = approve.clone();
    by_other["reviewer_id"] = json!("meera");
    send(by_other, "ravi", Role::Admin).await.expect_problem(409, "own_task");
    let mut wrong = approve.clone();
    wrong["dhi"] = json!({"compliance": 1, "efficiency": 1, "quality": 1, "timeliness": 1});
    wrong["dhi_score"] = json!(0.5);
    let problem = send(wrong, "asha", Role::Manager).await.expect_problem(422, "dhi_mismatch");
    assert_eq!((&problem["expected"], &problem["errors"][0]["pointer"]), (&json!(1.0), &json!("/dhi_score")));
    let unknown = json!({"task_id": NOTHING, "status": "approved"});
    send(unknown, "asha", Role::Manager).await.expect_problem(422, "unknown_reference");
    let beyond = json!({"task_id": task["id"], "status": "fine", "dhi_score": 2});
    send(beyond, "asha", Role::Manager).await.expect_problem(422, "invalid_input");
    assert_eq!(app.recorded_as::<TaskReviewed>().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn performance_is_computed_from_what_was_done() {
    let app = app().await;
    let path = "/task/employees/ravi/performance";
    let nothing = app.get(path).await.expect(200);
    assert_eq!((&nothing["completed"], &nothing["overall"]), (&json!(0), &json!(null)));
    let (first, second) = (done(&app, 5, 1).await, done(&app, 1, 5).await);
    let middle = app.clock.now().to_rfc3339().replace('+', "%2B");
    app.clock.advance(TimeDelta::hours(1));
    done(&app, 5, 1).await;
    app.post("/task/tasks", json!({"title": "Open", "assignee_id": "ravi"})).await.expect(201);
    for (task, status) in [(&first, "approved"), (&second, "rejected")] {
        let new = json!({"task_id": task["id"], "status": status});
        app.post("/task/review", new).await.expect(201);
    }
    let now = app.get(path).await.expect(200);
    assert_eq!((&now["completed"], &now["open"], &now["reviewed"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!((&now["productivity"], &now["quality"]), (&json!(0.75), &json!(0.5)));
    assert!((now["timeliness"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let overall = 0.75 * 0.4 + 0.5 * 0.4 + 2.0 / 3.0 * 0.2;
    assert!((now["overall"].as_f64().unwrap() - overall).abs() < 1e-12);
    let since = app.get(&format!("{path}?from={middle}")).await.expect(200);
    // The second was completed at that very moment.
    assert_eq!((&since["completed"], &since["timeliness"]), (&json!(2), &json!(0.5)));
    assert_eq!(app.get("/task/employees/nobody/performance").await.expect(200)["completed"], 0);
}
