use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::logistics::OrderCreated;
use chrono::TimeDelta;
use serde_json::json;

use crate::{app, grant, revoke, sql};

#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_what_happened() {
    let app = app().await;
    let today = app.clock.now().date_naive();
    // A second rule that the same event breaks.
    sql(
        &app,
        "INSERT INTO policies SELECT 'nothing-from-fairs', 1, 'No fairs',
           'forbid (principal, action == Action::\"lead_created\", resource)
            when { context.data.source == \"fair\" };', true, now(), now()",
    )
    .await;
    let lead = |purposes: &[&str], source: &str| LeadCreated {
        lead_id: app.clock.id(),
        consent_purposes: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
        source: Some(source.to_owned()),
        ..LeadCreated::sample()
    };
    let first = app.clock.now();
    app.deliver(&app.event(&lead(&["contact", "newsletter"], "website"))).await;
    app.deliver(&app.event(&lead(&[], "website"))).await;
    app.deliver(&app.event(&lead(&[], "fair"))).await;
    app.deliver(&app.event(&OrderCreated::sample())).await;
    app.clock.advance(TimeDelta::minutes(1));
    let last = app.clock.now();
    app.deliver(&app.event(&LeadUpdated::sample())).await;
    grant(&app, "lead/1", "contact").await;
    revoke(&app, "lead/1", "contact").await;
    revoke(&app, "lead/2", "contact").await;
    app.post("/compliance/requests", json!({"kind": "access", "subject": "lead/1"})).await.expect(201);
    // Tomorrow is none of today's business.
    app.clock.advance(TimeDelta::days(1));
    app.deliver(&app.event(&OrderCreated::sample())).await;
    revoke(&app, "lead/3", "contact").await;

    let path = |start, end| format!("/compliance/audit-report?start_date={start}&end_date={end}");
    let expected = json!({
        "start_date": today, "end_date": today,
        "checks": {
            "total": 5, "compliant": 3, "violation": 2, "first_at": first, "last_at": last,
            "by_event_type": {"lead_created": 3, "lead_updated": 1, "order_created": 1},
        },
        "violations_by_rule": {"lead-needs-consent": 2, "nothing-from-fairs": 1},
        "consents": {"granted": 3, "refused": 1, "withdrawn": 1, "expired": 0, "subjects": 3},
        "duties": {"received": 1, "fulfilled": 0, "refused": 0, "open": 1, "late": 0},
    });
    assert_eq!(app.get(&path(today, today)).await.expect(200), expected);
    let both = app.get(&path(today, today.succ_opt().unwrap())).await.expect(200);
    assert_eq!((&both["checks"]["total"], &both["consents"]["refused"]), (&json!(6), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_in_which_nothing_happened_has_no_counts() {
    let app = app().await;
    app.deliver(&app.event(&OrderCreated::sample())).await;
    let path = "/compliance/audit-report?start_date=2020-01-01&end_date=2020-12-31";
    let expected = json!({
        "start_date": "2020-01-01", "end_date": "2020-12-31",
        "checks": {"total": 0, "compliant": 0, "violation": 0, "first_at": null, "last_at": null,
                   "by_event_type": {}},
        "violations_by_rule": {},
        "consents": {"granted": 0, "refused": 0, "withdrawn": 0, "expired": 0, "subjects": 0},
        "duties": {"received": 0, "fulfilled": 0, "refused": 0, "open": 0, "late": 0},
    });
    assert_eq!(app.get(path).await.expect(200), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_makes_no_sense_is_refused() {
    let app = app().await;
    let pointers = async |query: &str| {
        let answer = app.get(&format!("/compliance/audit-report?{query}")).await;
        let problem = answer.expect_problem(422, "invalid_input");
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pointers("start_date=2027-02-01&end_date=2027-01-31").await, ["?end_date"]);
    assert_eq!(pointers("start_date=2026-01-01&end_date=2027-01-02").await, ["?end_date"]);
    assert_eq!(pointers("start_date=2027-02-30").await, ["?end_date", "?start_date"]);
    let longest = "/compliance/audit-report?start_date=2026-01-01&end_date=2027-01-01";
    app.get(longest).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_written_for_programs_spreadsheets_and_people() {
    let app = app().await;
    // It has to be written as it is, whatever it is.
    sql(
        &app,
        "INSERT INTO policies SELECT 'a<b>,\"c\"', 1, 'No', 'forbid (principal, action, resource);', true, now(), now()",
    )
    .await;
    app.deliver(&app.event(&OrderCreated::sample())).await;
    let today = app.clock.now().date_naive();
    let read = async |query: &str, accept: Option<&str>| {
        let path = format!("/compliance/audit-report?start_date={today}&end_date={today}{query}");
        let mut request = app.request(reqwest::Method::GET, &path).bearer_auth(app.token(Role::Manager));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = request.send().await.unwrap().error_for_status().unwrap();
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (media_type, response.text().await.unwrap())
    };
    for (query, accept) in [("&format=csv", None), ("", Some("text/csv"))] {
        let (media_type, text) = read(query, accept).await;
        assert_eq!(media_type, "text/csv; charset=utf-8");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("section,name,count"));
        assert!(text.contains("\nchecks,violation,1\n"), "{text}");
        assert!(text.contains("\nviolations_by_rule,\"a<b>,\"\"c\"\"\",1\n"), "{text}");
    }
    for (query, accept) in [("&format=html", Some("application/json")), ("", Some("text/html,*/*;q=0.8"))] {
        let (media_type, page) = read(query, accept).await;
        assert_eq!(media_type, "text/html; charset=utf-8");
        assert!(page.contains("<td>order_created</td><td>1</td>"), "{page}");
        assert!(page.contains("a&lt;b&gt;") && !page.contains("a<b>"), "{page}");
        assert!(page.contains("2027-01-15 08:00 UTC"), "{page}");
    }
    for accept in [None, Some("*/*"), Some("application/json, text/html")] {
        assert_eq!(read("", accept).await.0, "application/json", "{accept:?}");
    }
    let bad = app.get("/compliance/audit-report?start_date=2027-01-01&end_date=2027-01-02&format=pdf").await;
    assert_eq!(bad.expect_problem(422, "invalid_input")["errors"][0]["pointer"], "?format");
}
