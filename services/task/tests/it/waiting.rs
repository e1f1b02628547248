//! Workflows that do not come to their end at once: they wait, ask, and tell others.

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use bhiv_events::task::{ApprovalDecided, ApprovalRequested, WorkflowPublished, WorkflowTriggered};
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};
use task::{Config, TaskService};

use crate::receiver::Receiver;
use crate::{NOTHING, app, id, items, texts};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn quick() -> Config {
    let mut config =
        Config { timer_check_ms: 20, notify_secret: Some(SECRET.to_owned().into()), ..Config::default() };
    config.sending.webhook_allow_http = true;
    config.sending.webhook_allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config
}

/// The service with no workflow but one that does this about a lead.
async fn with(actions: Value) -> TestApp {
    let app = TestApp::start::<TaskService>(quick()).await;
    for shipped in items(&app, "/task/workflows").await {
        app.delete(&format!("/task/workflows/{}", id(&shipped))).await.expect(204);
    }
    let new = json!({"name": "Ask first", "trigger": "lead_created", "actions": actions});
    app.post("/task/workflows", new).await.expect(201);
    app
}

fn create(title: &str) -> Value {
    json!({"create_task": {"title": title, "due_in_hours": 1}})
}

/// The run of the only workflow about a new lead.
async fn triggered(app: &TestApp) -> Value {
    let event = app.event(&LeadCreated::sample());
    app.deliver_twice(&event).await;
    let [run] = items(app, &format!("/task/runs?event_id={}", event.id)).await.try_into().unwrap();
    run
}

async fn read(app: &TestApp, run: &Value) -> Value {
    app.get(&format!("/task/runs/{}", id(run))).await.expect(200)
}

/// The run, once it has come to that.
async fn came_to(app: &TestApp, run: &Value, outcome: &str) -> Value {
    app.eventually(async || {
        let run = read(app, run).await;
        (run["outcome"] == outcome).then_some(run)
    })
    .await
}

async fn titles(app: &TestApp) -> Vec<String> {
    let tasks = items(app, "/task/tasks?sort=created_at").await;
    texts(&tasks, "title").into_iter().map(str::to_owned).collect()
}

fn statuses(run: &Value) -> Vec<&str> {
    texts(run["steps"].as_array().unwrap(), "status")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_time_and_goes_on_once() {
    let app = with(json!([create("Now"), {"wait": {"minutes": 90}}, create("Later {{ data.name }}")])).await;
    let other = TestApp::replica_of::<TaskService>(&app, |_| quick());
    let run = triggered(&app).await;
    assert_eq!((&run["outcome"], &run["waits_for"]), (&json!("waiting"), &json!("time")));
    assert_eq!(run["wake_at"], json!(app.clock.now() + TimeDelta::minutes(90)));
    assert_eq!(statuses(&run), ["done", "waiting", "pending"]);
    assert_eq!(titles(&app).await, ["Now"]);
    assert_eq!(app.recorded_as::<WorkflowTriggered>().await.len(), 0, "it is not over");
    let retry = format!("/task/runs/{}/retry", id(&run));
    app.post(&retry, json!({})).await.expect_problem(409, "run_waiting");

    // What changes about the workflow changes nothing about its runs.
    let [workflow] = items(&app, "/task/workflows").await.try_into().unwrap();
    app.delete(&format!("/task/workflows/{}", id(&workflow))).await.expect(204);
    for replica in [&app, &other] {
        replica.clock.advance(TimeDelta::minutes(91));
    }
    let run = came_to(&app, &run, "done").await;
    assert_eq!(titles(&app).await, ["Now", "Later Asha Verma"]);
    assert_eq!(statuses(&run), ["done", "done", "done"]);
    assert_eq!((&run["waits_for"], &run["wake_at"]), (&json!(null), &json!(null)));
    let [told] = app.recorded_as::<WorkflowTriggered>().await.try_into().unwrap();
    assert_eq!((json!(told.effects), told.workflow.as_str()), (run["effects"].clone(), "Ask first"));
    let tasks = items(&app, "/task/tasks?sort=created_at").await;
    assert_eq!(tasks[1]["due_date"], json!(app.clock.now() + TimeDelta::hours(1)), "from when it is created");
    assert_eq!(tasks[1]["correlation_id"], run["correlation_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_decides() {
    let ask = json!({"approve": {"question": "Call {{ data.name }}?", "approvers": ["ravi", "meera"]}});
    let app = with(json!([ask, create("Call")])).await;
    let run = triggered(&app).await;
    assert_eq!((&run["outcome"], &run["waits_for"]), (&json!("waiting"), &json!("approval")));
    let [asked] = items(&app, "/task/approvals?approver=ravi&status=pending").await.try_into().unwrap();
    assert_eq!((&asked["question"], &asked["run_id"]), (&json!("Call Asha Verma?"), &run["id"]));
    assert_eq!(items(&app, "/task/approvals?approver=asha").await, [json!(null); 0]);
    let [requested] = app.recorded_as::<ApprovalRequested>().await.try_into().unwrap();
    assert_eq!((json!(requested.approval_id), requested.expires_at), (asked["id"].clone(), None));

    let path = format!("/task/approvals/{}", id(&asked));
    let decision = format!("{path}/decision");
    let answer = async |user: &str, role: Role, answer: &str| {
        let request = app.request(reqwest::Method::POST, &decision).bearer_auth(app.token_of(user, role));
        TestApp::read(request.json(&json!({"decision": answer, "comment": "So be it"}))).await
    };
    let refused = answer("asha", Role::Support, "approved").await.expect_problem(403, "not_asked");
    assert_eq!(refused["approvers"], json!(["ravi", "meera"]));
    answer("ravi", Role::Support, "perhaps").await.expect_problem(422, "invalid_input");
    let decided = answer("meera", Role::Support, "approved").await.expect(200);
    assert_eq!((&decided["status"], &decided["decided_by"]), (&json!("approved"), &json!("meera")));
    let again = answer("ravi", Role::Support, "rejected").await.expect_problem(409, "already_decided");
    assert_eq!(again["approval_status"], "approved");
    assert_eq!(app.get(&path).await.expect(200), decided);
    let run = read(&app, &run).await;
    assert_eq!((&run["outcome"], statuses(&run)), (&json!("done"), vec!["done", "done"]));
    assert_eq!(titles(&app).await, ["Call"]);
    let [told] = app.recorded_as::<ApprovalDecided>().await.try_into().unwrap();
    assert_eq!((told.status.as_str(), told.decided_by.as_deref()), ("approved", Some("meera")));
    assert!(app.audited().await.contains(&"approval.decide".to_owned()));

    // A no ends it; an administrator may speak for those who are asked.
    let run = triggered(&app).await;
    let [asked] = items(&app, "/task/approvals?status=pending").await.try_into().unwrap();
    let decision = format!("/task/approvals/{}/decision", id(&asked));
    app.post(&decision, json!({"decision": "rejected"})).await.expect(200);
    let run = read(&app, &run).await;
    assert_eq!((&run["outcome"], statuses(&run)), (&json!("rejected"), vec!["rejected", "pending"]));
    assert!(run["error"].as_str().unwrap().starts_with("/actions/0/approve: rejected by "), "{run}");
    assert_eq!(titles(&app).await, ["Call"]);
    let nothing = format!("/task/approvals/{NOTHING}");
    app.get(&nothing).await.expect_problem(404, "not_found");
    app.post(&format!("{nothing}/decision"), json!({"decision": "approved"}))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_in_time_is_a_no_and_what_waits_can_be_cancelled() {
    let ask = json!({"approve": {"question": "Call?", "approvers": ["ravi"], "within_hours": 2}});
    let app = with(json!([ask, create("Call")])).await;
    let late = triggered(&app).await;
    app.clock.advance(TimeDelta::hours(3));
    let late = came_to(&app, &late, "rejected").await;
    assert_eq!(late["error"], "/actions/0/approve: nobody answered in time");
    let cancel = async |run: &Value| app.post(&format!("/task/runs/{}/cancel", id(run)), json!({})).await;
    let over = cancel(&late).await.expect_problem(409, "run_over");
    assert_eq!(over["outcome"], "rejected");

    let run = triggered(&app).await;
    let cancelled = cancel(&run).await.expect(200);
    assert_eq!((&cancelled["outcome"], &cancelled["waits_for"]), (&json!("cancelled"), &json!(null)));
    app.post(&format!("/task/runs/{NOTHING}/cancel"), json!({})).await.expect_problem(404, "not_found");
    let asked = items(&app, "/task/approvals").await;
    assert_eq!(texts(&asked, "status"), ["withdrawn", "expired"]);
    let decision = format!("/task/approvals/{}/decision", id(&asked[0]));
    app.post(&decision, json!({"decision": "approved"})).await.expect_problem(409, "already_decided");
    assert_eq!(titles(&app).await, [""; 0]);
    assert_eq!(items(&app, "/task/runs?outcome=cancelled").await, [cancelled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_told_until_it_has_it() {
    let receiver = Receiver::start(&[503, 500, 200]).await;
    let tell = json!({"notify": {"url": receiver.url("/hook/secret"), "text": "New lead {{ data.name }}"}});
    let app = with(json!([tell, create("Call")])).await;
    let run = triggered(&app).await;
    assert_eq!((&run["outcome"], &run["waits_for"]), (&json!("waiting"), &json!("receiver")));
    for attempt in 1..3 {
        let tried = app.eventually(async || {
            let run = read(&app, &run).await;
            (run["steps"][0]["error"].is_string() && run["steps"][0]["attempts"] == attempt).then_some(run)
        });
        let tried = tried.await;
        assert!(
            tried["steps"][0]["error"].as_str().unwrap().starts_with("127.0.0.1: answered 50"),
            "{tried}"
        );
        assert_eq!(titles(&app).await, [""; 0], "what follows waits");
        app.clock.advance(TimeDelta::minutes(6));
    }
    let run = came_to(&app, &run, "done").await;
    assert_eq!(run["effects"][0], "told 127.0.0.1", "the path may be a secret");
    assert_eq!(titles(&app).await, ["Call"]);
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| one.id == received[0].id), "one message");
    let webhook = standardwebhooks::Webhook::new(SECRET).unwrap();
    for one in &received {
        let signature = webhook.sign(&one.id, one.timestamp, one.body.as_bytes()).unwrap();
        assert_eq!(one.signature, signature);
    }
    let body: Value = serde_json::from_str(&received[2].body).unwrap();
    assert_eq!((&body["text"], &body["run_id"]), (&json!("New lead Asha Verma"), &run["id"]));
    assert_eq!((&body["event_type"], &body["workflow"]), (&json!("lead_created"), &json!("Ask first")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_is_tried_again_from_there_or_from_the_start() {
    let receiver = Receiver::start(&[410, 410, 200, 200]).await;
    let tell = json!({"notify": {"url": receiver.url("/"), "text": "x"}});
    let app = with(json!([create("First"), tell, create("Last")])).await;
    let other = TestApp::replica_of::<TaskService>(&app, |_| quick());
    let run = triggered(&app).await;
    let failed = came_to(&app, &run, "failed").await;
    assert_eq!(statuses(&failed), ["done", "failed", "pending"]);
    assert_eq!(failed["error"], "/actions/1/notify: 127.0.0.1: answered 410 Gone");
    let retry = format!("/task/runs/{}/retry", id(&run));
    let again = app.post(&retry, json!({})).await.expect(200);
    assert_eq!((&again["outcome"], &again["attempts"]), (&json!("waiting"), &json!(2)));
    came_to(&app, &run, "failed").await;
    app.post(&format!("{retry}?from=failed_step"), json!({})).await.expect(200);
    let done = came_to(&app, &run, "done").await;
    assert_eq!(done["attempts"], 3);
    assert_eq!(titles(&app).await, ["First", "Last"], "what was done is not done again");
    app.post(&retry, json!({})).await.expect_problem(409, "run_done");

    let gone = Receiver::start(&[410]).await;
    let [workflow] = items(&app, "/task/workflows").await.try_into().unwrap();
    let tell = json!({"notify": {"url": gone.url("/"), "text": "x"}});
    let path = format!("/task/workflows/{}", id(&workflow));
    app.patch(&path, json!({"actions": [create("First"), tell]})).await.expect(200);
    let run = triggered(&app).await;
    came_to(&app, &run, "failed").await;
    app.patch(&path, json!({"actions": [create("Other")]})).await.expect(200);
    let retry = format!("/task/runs/{}/retry", id(&run));
    let done = app.post(&format!("{retry}?from=start"), json!({})).await.expect(200);
    assert_eq!((&done["outcome"], &done["workflow_version"]), (&json!("done"), &json!(3)));
    assert_eq!(titles(&app).await, ["First", "Last", "First", "Other"]);
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_in_the_workflows_own_words_is_published() {
    let publish =
        json!({"publish": {"event_type": "lead.needs_call", "payload": {"who": "{{ data.name }}"}}});
    let app = with(json!([publish])).await;
    let run = triggered(&app).await;
    let [published] = app.recorded_as::<WorkflowPublished>().await.try_into().unwrap();
    assert_eq!(published.event_type, "lead.needs_call");
    assert_eq!(json!(published.payload), json!({"who": "Asha Verma"}));
    assert_eq!(json!(published.run_id), run["id"]);
    let effect = format!("published lead.needs_call as published/{}", published.published_id);
    assert_eq!(run["effects"], json!([effect]));
    app.post(&format!("/task/runs/{}/retry?from=failed_step", id(&run)), json!({}))
        .await
        .expect_problem(409, "run_done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_without_a_step_begins_at_its_start_only() {
    let app = with(json!([create("{{ data.colour }}")])).await;
    let run = triggered(&app).await;
    assert_eq!((&run["outcome"], &run["steps"]), (&json!("failed"), &json!([])));
    let retry = format!("/task/runs/{}/retry", id(&run));
    app.post(&format!("{retry}?from=failed_step"), json!({})).await.expect_problem(409, "no_failed_step");
    app.post(&format!("{retry}?from=middle"), json!({})).await.expect_problem(422, "invalid_input");
    assert_eq!(app.post(&format!("{retry}?from=start"), json!({})).await.expect(200)["attempts"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_that_cannot_be_are_refused_where_they_stand() {
    let app = app().await;
    let refused = async |actions: Value| {
        let new = json!({"name": "x", "trigger": "lead_created", "actions": actions});
        let problem = app.post("/task/workflows", new).await.expect_problem(422, "invalid_input");
        let errors = problem["errors"].as_array().unwrap().clone();
        texts(&errors, "pointer").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let url = |url: &str| json!({"notify": {"url": url, "text": "x"}});
    assert_eq!(
        refused(json!([url("https://10.0.0.1/"), url("https://example.com/"), url("http://example.com/")]))
            .await,
        ["/actions/0/notify/url", "/actions/2/notify/url"]
    );
    assert_eq!(
        refused(json!([
            {"wait": {"minutes": 0}},
            {"approve": {"question": "", "approvers": []}},
            {"publish": {"event_type": "9"}},
            {"publish": {"event_type": "x", "payload": {"a": 1}}},
        ]))
        .await,
        [
            "/actions/0/wait/minutes",
            "/actions/1/approve/approvers",
            "/actions/1/approve/question",
            "/actions/2/publish/event_type",
            "/actions/3/publish/payload/a",
        ]
    );
    assert_eq!(
        refused(json!([{"publish": {"event_type": "task_created"}}])).await,
        ["/actions/0/publish/event_type"]
    );
    assert_eq!(
        refused(json!([{"wait": {"minutes": 1}, "create_task": {"title": "x"}}])).await,
        ["/actions/0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_are_ended_or_tried_again_each_by_itself() {
    let app = with(json!([{"wait": {"minutes": 90}}, create("Later")])).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(triggered(&app).await);
        app.clock.advance(TimeDelta::minutes(1));
    }
    let listed = async |query: &str| {
        let found = items(&app, &format!("/task/runs?{query}")).await;
        found.iter().map(|run| run["id"].clone()).collect::<Vec<_>>()
    };
    let ids: Vec<_> = runs.iter().map(|run| run["id"].clone()).collect();
    assert_eq!(listed("sort=created_at").await, ids);
    let second = runs[1]["created_at"].as_str().unwrap().replace('+', "%2B");
    assert_eq!(listed(&format!("from={second}&sort=created_at")).await, ids[1..]);
    assert_eq!(listed(&format!("until={second}")).await, ids[..1]);
    let first = app.get("/task/runs?sort=created_at&limit=1").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(listed(&format!("sort=created_at&cursor={cursor}")).await, ids[1..]);

    let many = json!({"ids": [ids[0], NOTHING, ids[1]], "action": "cancel"});
    let ended = app.post("/task/runs/bulk", many).await.expect(200);
    let statuses: Vec<_> =
        ended["results"].as_array().unwrap().iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, [200, 404, 200]);
    assert_eq!(listed("outcome=cancelled&sort=created_at").await, ids[..2]);
    let again = json!({"ids": ids, "action": "retry"});
    let again = app.post("/task/runs/bulk", again).await.expect(200);
    assert_eq!((&again["succeeded"], &again["failed"]), (&json!(2), &json!(1)));
    assert_eq!(again["results"][2]["problem"]["code"], "run_waiting");
    assert_eq!(listed("outcome=waiting&sort=created_at").await, ids);
}
