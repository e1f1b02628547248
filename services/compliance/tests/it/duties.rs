//! What the law wants done within a time.

use bhiv_auth::Role;
use bhiv_events::compliance::DutyOverdue;
use bhiv_testing::TestApp;
use chrono::{DateTime, TimeDelta, Utc};
use compliance::{Compliance, Config, Regime};
use serde_json::{Value, json};

use crate::app;
use crate::erasures::answer_all;

const LEAD: &str = "lead/0190aaaa-0000-7000-8000-000000000001";

fn quick() -> Config {
    Config { timer_check_ms: 20, ..Config::default() }
}

fn path(list: &str, duty: &Value) -> String {
    format!("/compliance/{list}/{}", duty["id"].as_str().unwrap())
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// What was done, in words.
fn said(duty: &Value) -> Vec<&str> {
    duty["evidence"].as_array().unwrap().iter().map(|evidence| evidence["what"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_its_time_and_its_evidence() {
    let app = app().await;
    let received = app.clock.now() - TimeDelta::days(2);
    let new = json!({"kind": "access", "subject": LEAD, "details": "What do you know of me?", "received_at": received});
    let answer = app.post("/compliance/requests", new).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let duty = answer.expect(201);
    assert_eq!(location, path("requests", &duty));
    assert_eq!(
        (&duty["status"], &duty["regime"], &duty["due_at"]),
        (&json!("open"), &json!("gdpr"), &json!("2027-02-13T08:00:00Z"))
    );
    assert_eq!(said(&duty), ["received 2027-01-13T08:00:00Z, to be answered by 2027-02-13T08:00:00Z"]);

    let begun =
        app.patch(&location, json!({"status": "in_progress", "extend": "Many papers"})).await.expect(200);
    assert_eq!((&begun["due_at"], &begun["extended"]), (&json!("2027-04-13T08:00:00Z"), &json!(true)));
    let again = app.patch(&location, json!({"extend": "More papers"})).await;
    again.expect_problem(409, "no_more_time");
    let problem =
        app.patch(&location, json!({"status": "fulfilled"})).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/note");
    let done = json!({"status": "fulfilled", "note": "Sent all of it", "reference": "letter 12"});
    let done = app.patch(&location, done).await.expect(200);
    assert_eq!((&done["status"], time(&done["closed_at"])), (&json!("fulfilled"), app.clock.now()));
    assert_eq!(
        said(&done)[1..],
        [
            "extended to 2027-04-13T08:00:00Z: Many papers",
            "in_progress by user/admin-1",
            "fulfilled by user/admin-1",
            "Sent all of it"
        ]
    );
    assert_eq!(done["evidence"][4]["reference"], "letter 12");
    assert_eq!(app.get(&location).await.expect(200), done);
    app.patch(&location, json!({"note": "x"})).await.expect_problem(409, "duty_closed");
    let back = app.patch(&location, json!({"status": "open"})).await;
    back.expect_problem(409, "illegal_transition");
    assert_eq!(app.audited().await, ["duty.open", "duty.update", "duty.update"]);

    let lists = async |query: &str| {
        app.get(&format!("/compliance/requests?{query}")).await.expect(200)["total"].clone()
    };
    assert_eq!(lists(&format!("subject={LEAD}&status=fulfilled&kind=access")).await, 1);
    assert_eq!(lists("due_before=2030-01-01T00:00:00Z").await, 0, "it is closed");
    assert_eq!(app.get("/compliance/breaches").await.expect(200)["total"], 0);
    app.get(&path("breaches", &done)).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_told_once() {
    let app = TestApp::start::<Compliance>(quick()).await;
    let other = TestApp::replica_of::<Compliance>(&app, |_| quick());
    let breach = json!({"details": "A lost laptop", "affected": 12, "regime": "dpdp"});
    let breach = app.post("/compliance/breaches", breach).await.expect(201);
    assert_eq!(time(&breach["due_at"]), app.clock.now() + TimeDelta::hours(72));
    let reported = app.post("/compliance/breaches", json!({"details": "A letter"})).await.expect(201);
    let done = json!({"status": "fulfilled", "note": "Told the authority", "reference": "no. 7"});
    app.patch(&path("breaches", &reported), done).await.expect(200);
    let request = json!({"kind": "correction", "subject": LEAD});
    let request = app.post("/compliance/requests", request).await.expect(201);
    let no = app.patch(&path("breaches", &breach), json!({"extend": "Busy"})).await;
    no.expect_problem(409, "no_more_time");

    other.clock.advance(TimeDelta::hours(73));
    let told = async || app.recorded_as::<DutyOverdue>().await;
    app.eventually(async || (!told().await.is_empty()).then_some(())).await;
    app.clock.advance(TimeDelta::days(31));
    app.eventually(async || (told().await.len() >= 2).then_some(())).await;
    let late = told().await;
    let ids: Vec<_> = late.iter().map(|duty| json!(duty.duty_id)).collect();
    assert_eq!(ids, [breach["id"].clone(), request["id"].clone()], "each is told once");
    assert_eq!((late[0].duty.as_str(), late[0].regime.as_str()), ("breach_report", "dpdp"));
    let seen = app.get(&path("breaches", &breach)).await.expect(200);
    assert!(seen["overdue_at"].is_string());
    assert_eq!(said(&seen).last().unwrap(), &"not done by 2027-01-18T08:00:00Z");

    // Who is given more time is late again when that is over.
    app.patch(&path("requests", &request), json!({"extend": "Many papers"})).await.expect(200);
    app.clock.advance(TimeDelta::days(70));
    app.eventually(async || (told().await.len() == 3).then_some(())).await;
    assert_eq!(json!(told().await[2].duty_id), request["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_to_be_forgotten_is() {
    let app = app().await;
    let new =
        json!({"kind": "erasure", "subject": LEAD, "also": ["asha@example.com"], "details": "I am Asha"});
    let duty = app.post("/compliance/requests", new).await.expect(201);
    let erasure = format!("/compliance/erasure/{}", duty["erasure_id"].as_str().unwrap());
    let erasure = app.get(&erasure).await.expect(200);
    assert_eq!((&erasure["status"], &duty["status"]), (&json!("running"), &json!("open")));
    answer_all(&app, &erasure).await;
    let done = app.get(&path("requests", &duty)).await.expect(200);
    assert_eq!((&done["status"], &done["details"]), (&json!("fulfilled"), &json!(null)));
    let certificate = format!("/compliance/erasure/{}/certificate", erasure["id"].as_str().unwrap());
    assert_eq!(done["evidence"].as_array().unwrap().last().unwrap()["reference"], json!(certificate));
    app.publish_all().await;
    assert_eq!(app.database.rows_with("asha").await, [""; 0]);

    // What speaks against it is noted, and the request stands.
    app.post("/compliance/holds", json!({"subject": "lead/2", "reason": "Case 12"})).await.expect(201);
    let held =
        app.post("/compliance/requests", json!({"kind": "erasure", "subject": "lead/2"})).await.expect(201);
    assert_eq!((&held["erasure_id"], &held["status"]), (&json!(null), &json!("open")));
    assert_eq!(said(&held)[1], "nothing is erased: a legal hold keeps the person's data: Case 12");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_the_person_out_of_what_they_asked() {
    let config = Config { compliance_regime: Regime::Dpdp, ..Config::default() };
    let app = TestApp::start::<Compliance>(config).await;
    let new = json!({"kind": "correction", "subject": "asha@example.com", "details": "Asha, not Usha"});
    let duty = app.post("/compliance/requests", new).await.expect(201);
    assert_eq!(duty["regime"], "dpdp");
    let no = app.patch(&path("requests", &duty), json!({"extend": "Busy", "note": "x"})).await;
    no.expect_problem(409, "no_more_time");
    let note = json!({"note": "Wrote to asha@example.com"});
    app.patch(&path("requests", &duty), note).await.expect(200);
    let erasure = json!({"subject": "asha@example.com", "regime": "gdpr"});
    let erasure = app.post("/compliance/erasure", erasure).await.expect(202);
    app.publish_all().await;
    assert_eq!(app.database.rows_with("asha").await, [""; 0]);
    let left = app.get(&path("requests", &duty)).await.expect(200);
    assert_eq!(left["subject"], erasure["subject"]);
    assert_eq!(said(&left)[1], "Wrote to [erased]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let mut app = app().await;
    let tomorrow = app.clock.now() + TimeDelta::days(1);
    let bad = json!({"kind": "cake", "subject": "", "regime": "hipaa"});
    let problem = app.post("/compliance/requests", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/kind", "/regime", "/subject"]);
    let early = json!({"kind": "access", "subject": LEAD, "received_at": tomorrow});
    let problem = app.post("/compliance/requests", early).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/received_at");
    let early = json!({"details": "x", "discovered_at": tomorrow});
    let problem = app.post("/compliance/breaches", early).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/discovered_at");
    app.post("/compliance/breaches", json!({"affected": -1})).await.expect_problem(422, "invalid_input");
    let missing = "/compliance/requests/0190aaaa-0000-7000-8000-0000000000ff";
    app.get(missing).await.expect_problem(404, "not_found");
    app.patch(missing, json!({"note": "x"})).await.expect_problem(404, "not_found");
    assert_eq!(app.recorded().await, []);

    app.speak_as(Role::Manager);
    let request = json!({"kind": "access", "subject": LEAD});
    for (path, body) in [("requests", request), ("breaches", json!({"details": "x"}))] {
        let problem = app.post(&format!("/compliance/{path}"), body).await;
        let problem = problem.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "compliance:write");
        app.get(&format!("/compliance/{path}")).await.expect(200);
    }
    app.speak_as(Role::Sales);
    app.get("/compliance/requests").await.expect_problem(403, "permission_denied");
}
