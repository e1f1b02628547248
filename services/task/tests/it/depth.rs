use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{NOTHING, app, id, items, task, texts};

fn path(task: &Value) -> String {
    format!("/task/tasks/{}", id(task))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_those_that_it_depends_on() {
    let app = app().await;
    let first = task(&app).await;
    let second = json!({"title": "Second", "depends_on": [first["id"]]});
    let second = app.post("/task/tasks", second).await.expect(201);
    for status in ["in_progress", "completed"] {
        let refused = app.patch(&path(&second), json!({"status": status})).await;
        let problem = refused.expect_problem(409, "open_dependencies");
        assert_eq!(problem["open"], json!([format!("task/{}", id(&first))]));
    }
    app.patch(&path(&first), json!({"status": "completed"})).await.expect(200);
    app.patch(&path(&second), json!({"status": "completed"})).await.expect(200);
    let unknown = json!({"title": "Third", "depends_on": [NOTHING]});
    let problem = app.post("/task/tasks", unknown).await.expect_problem(422, "unknown_reference");
    assert_eq!(problem["errors"][0]["pointer"], "/depends_on");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_do_not_wait_for_each_other_in_a_circle() {
    let app = app().await;
    let mut tasks = Vec::new();
    for title in ["A", "B", "C"] {
        tasks.push(app.post("/task/tasks", json!({"title": title})).await.expect(201));
    }
    let [a, b, c] = tasks.as_slice() else { unreachable!() };
    let depend =
        async |on: &Value, task: &Value| app.patch(&path(task), json!({"depends_on": [on["id"]]})).await;
    depend(a, b).await.expect(200);
    depend(b, c).await.expect(200);
    let problem = depend(c, a).await.expect_problem(409, "dependency_cycle");
    let names: Vec<_> = [a, c, b, a].map(|task| format!("task/{}", id(task))).into();
    assert_eq!(problem["cycle"], json!(names), "it names the way round");
    depend(a, a).await.expect_problem(409, "dependency_cycle");
    assert_eq!(app.get(&path(a)).await.expect(200)["depends_on"], json!([]));
    // Two changes at once, each harmless alone, do not make one together either.
    let (d, e) = (task(&app).await, task(&app).await);
    let (one, other) = tokio::join!(depend(&d, &e), depend(&e, &d));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checklist_is_done_before_its_task() {
    let app = app().await;
    let list = json!([{"text": "Ask", "done": true}, {"text": "Write down"}]);
    let task = app.post("/task/tasks", json!({"title": "Call", "checklist": list})).await.expect(201);
    assert_eq!(task["checklist"][1], json!({"text": "Write down", "done": false}));
    let refused = app.patch(&path(&task), json!({"status": "completed"})).await;
    assert_eq!(refused.expect_problem(409, "open_checklist")["open"], json!(["Write down"]));
    let all = json!([{"text": "Ask", "done": true}, {"text": "Write down", "done": true}]);
    let done = app.patch(&path(&task), json!({"checklist": all, "status": "completed"})).await.expect(200);
    // What is done is not opened again by its parts.
    let reopened = app.patch(&path(&task), json!({"checklist": list})).await;
    reopened.expect_problem(409, "open_checklist");
    let other = app.post("/task/tasks", json!({"title": "Later"})).await.expect(201);
    let waiting = app.patch(&path(&task), json!({"depends_on": [other["id"]]})).await;
    waiting.expect_problem(409, "open_dependencies");
    assert_eq!(done["completed_at"], done["updated_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_still_to_come() {
    let app = app().await;
    let past = (app.clock.now() - TimeDelta::minutes(1)).to_rfc3339();
    let refused = app.post("/task/tasks", json!({"title": "A", "due_date": past})).await;
    assert_eq!(refused.expect_problem(422, "past_date")["errors"][0]["pointer"], "/due_date");
    let task = task(&app).await;
    app.patch(&path(&task), json!({"due_date": past})).await.expect_problem(422, "past_date");
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_found_sorted_changed_together_and_read_as_they_were() {
    let app = app().await;
    for (title, due) in [("Call Asha", Some(3)), ("Write to Ravi", None), ("Call Meera", Some(1))] {
        let due = due.map(|days| (app.clock.now() + TimeDelta::days(days)).to_rfc3339());
        let new = json!({"title": title, "due_date": due, "labels": ["sales", title]});
        app.post("/task/tasks", new).await.expect(201);
    }
    let listed = async |query: &str| {
        let found = items(&app, &format!("/task/tasks?{query}")).await;
        texts(&found, "title").join(",")
    };
    assert_eq!(listed("sort=due_date").await, "Call Meera,Call Asha,Write to Ravi", "without a date last");
    assert_eq!(listed("sort=-title").await, "Write to Ravi,Call Meera,Call Asha");
    assert_eq!(listed("q=call+ash").await, "Call Asha");
    assert_eq!(listed("label=Call+Asha").await, "Call Asha");
    let soon = (app.clock.now() + TimeDelta::days(2)).to_rfc3339().replace('+', "%2B");
    assert_eq!(listed(&format!("due_before={soon}")).await, "Call Meera");
    let (mut titles, mut next) = (Vec::new(), "/task/tasks?sort=due_date&limit=1".to_owned());
    loop {
        let page = app.get(&next).await.expect(200);
        titles.extend(texts(page["items"].as_array().unwrap(), "title").iter().map(|it| (*it).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("/task/tasks?sort=due_date&limit=1&cursor={cursor}");
    }
    assert_eq!(titles.join(","), listed("sort=due_date").await);

    let then = app.clock.now().to_rfc3339().replace('+', "%2B");
    app.clock.advance(TimeDelta::minutes(1));
    let task = items(&app, "/task/tasks?q=ravi").await[0].clone();
    let bulk = json!({"ids": [task["id"], NOTHING], "change": {"assignee_id": "ravi"}});
    let answer = app.post("/task/tasks/bulk", bulk).await.expect(200);
    assert_eq!((&answer["succeeded"], &answer["results"][1]["status"]), (&json!(1), &json!(404)));
    assert_eq!(app.get(&format!("{}?as_of={then}", path(&task))).await.expect(200), task);
    let history = app.get(&format!("{}/history", path(&task))).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["assignee_id"], json!({"before": null, "after": "ravi"}));
}
