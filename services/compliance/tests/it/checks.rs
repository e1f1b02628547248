use bhiv_events::compliance::{ComplianceChecked, ComplianceViolation, Rule};
use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_events::logistics::OrderCreated;
use bhiv_events::task::TaskCreated;
use bhiv_events::{Contract as _, Event};
use bhiv_outbox::Outcome;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{app, check_of, sql};

fn careless_lead() -> LeadCreated {
    LeadCreated { consent_purposes: Vec::new(), ..LeadCreated::sample() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compliant_event_is_checked_and_told() {
    let app = app().await;
    let event = app.event(&OrderCreated::sample());
    app.deliver_twice(&event).await;
    let check = check_of(&app, &event).await;
    let expected = json!({
        "id": check["id"], "event_id": event.id, "event_type": "order_created", "entity": event.subject,
        "verdict": "compliant", "errors": [], "flip": null,
        "rules": [{"id": "ordinary-business", "version": 1, "says": "Ordinary business is permitted"}],
        "actor": "user/sample", "correlation_id": event.correlationid,
        "event_time": event.time, "created_at": app.clock.now(),
    });
    assert_eq!(check, expected);
    let path = format!("/compliance/checks/{}", check["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200), check);

    let [told] = app.recorded().await.try_into().unwrap();
    assert_eq!((told.name().as_str(), told.actor.as_str()), ("compliance_checked", "service/compliance"));
    assert_eq!((told.correlationid, told.causationid), (event.correlationid, Some(event.id)));
    let told: ComplianceChecked = told.read().unwrap();
    assert_eq!((json!(told.check_id), told.event_id), (check["id"].clone(), event.id));
    assert_eq!((told.verdict.as_str(), told.entity), ("compliant", event.subject));
    let rule = json!({"id": "ordinary-business", "says": "Ordinary business is permitted"});
    assert_eq!(json!(told.rules), json!([rule]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_is_told_with_the_rules_that_were_broken() {
    let app = app().await;
    let event = app.event(&careless_lead());
    app.deliver_twice(&event).await;
    assert_eq!(app.recorded_names().await, ["compliance_checked", "compliance_violation"]);
    let [violation] = app.recorded_as::<ComplianceViolation>().await.try_into().unwrap();
    let check = check_of(&app, &event).await;
    let rule = Rule {
        id: "lead-needs-consent".to_owned(),
        says: "A lead may be kept only with consent to be contacted".to_owned(),
    };
    let expected = ComplianceViolation {
        check_id: check["id"].as_str().unwrap().parse().unwrap(),
        event_id: event.id,
        event_type: "lead_created".to_owned(),
        entity: event.subject.clone(),
        rules: vec![rule],
    };
    assert_eq!(violation, expected);
    assert_eq!(
        check["flip"],
        json!({"changes": [{"attribute": "consent_purposes", "kind": "add", "value": "contact"}],
               "says": "if consent_purposes had contained \"contact\""})
    );
    assert_eq!(app.recorded_as::<ComplianceChecked>().await[0].verdict, "violation");
    let sequences: Vec<_> = app.recorded().await.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2], "both are told of the check, one after the other");
    assert_eq!(app.audited().await, [""; 0], "a judgement changes nobody's data");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_judged_once_even_if_the_inbox_forgot_it() {
    let app = app().await;
    let event = app.event(&careless_lead());
    app.deliver(&event).await;
    let (check, recorded) = (check_of(&app, &event).await, app.recorded().await);
    sql(&app, "DELETE FROM inbox WHERE consumer = 'compliance.check'").await;
    let outcomes = app.deliver(&event).await;
    assert_eq!(outcomes, [Outcome::Repeated, Outcome::Repeated, Outcome::Done]);
    assert_eq!(check_of(&app, &event).await, check);
    assert_eq!(app.recorded().await, recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_nested_beyond_reason_is_judged_too() {
    let app = app().await;
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let metadata = serde_json::Map::from_iter([("deep".to_owned(), deep)]);
    let event = app.event(&UnifiedReceived { metadata, ..UnifiedReceived::sample() });
    app.deliver_twice(&event).await;
    assert_eq!(check_of(&app, &event).await["verdict"], "compliant");
}

/// Four events, a minute apart.
async fn story(app: &TestApp) -> [Event; 4] {
    let events = [
        app.event(&careless_lead()),
        app.event(&LeadUpdated::sample()),
        app.event(&OrderCreated::sample()),
        app.event(&TaskCreated::sample()),
    ];
    for event in &events {
        app.deliver_twice(event).await;
        app.clock.advance(TimeDelta::minutes(1));
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_filtered() {
    let app = app().await;
    let [lead, update, order, task] = story(&app).await;
    let begin = app.clock.now() - TimeDelta::minutes(4);
    let at =
        |minutes| (begin + TimeDelta::minutes(minutes)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let lists = async |list: &str, query: &str, expected: &[&Event]| {
        let page = app.get(&format!("/compliance/{list}?{query}")).await.expect(200);
        let found: Vec<&Value> =
            page["items"].as_array().unwrap().iter().map(|item| &item["event_id"]).collect();
        let expected: Vec<_> = expected.iter().map(|event| json!(event.id)).collect();
        assert_eq!(found, expected.iter().collect::<Vec<_>>(), "{list}?{query}");
        assert_eq!(page["total"], expected.len());
    };
    lists("checks", "", &[&task, &order, &update, &lead]).await;
    lists("checks", &format!("event_id={}", order.id), &[&order]).await;
    lists("checks", "event_type=lead_updated", &[&update]).await;
    lists("checks", &format!("entity={}", lead.subject), &[&update, &lead]).await;
    lists("checks", "verdict=violation", &[&lead]).await;
    lists("checks", &format!("correlation_id={}", task.correlationid), &[&task]).await;
    lists("checks", &format!("since={}&until={}", at(1), at(3)), &[&order, &update]).await;
    lists("violations", "", &[&lead]).await;
    lists("violations", "event_type=order_created", &[]).await;
    lists("violations", &format!("since={}", at(1)), &[]).await;
    lists("violations", &format!("entity={}&until={}", lead.subject, at(1)), &[&lead]).await;

    let problem = app.get("/compliance/violations?verdict=compliant&since=noon").await;
    let problem = problem.expect_problem(422, "invalid_input");
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["?since", "?verdict"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_paged() {
    let app = app().await;
    story(&app).await;
    let whole = app.get("/compliance/checks").await.expect(200);
    let first = app.get("/compliance/checks?limit=3").await.expect(200);
    assert_eq!((&first["total"], first["items"].as_array().unwrap().len()), (&json!(4), 3));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = app.get(&format!("/compliance/checks?limit=3&cursor={cursor}")).await.expect(200);
    assert_eq!((&rest["items"], &rest["next_cursor"]), (&json!([whole["items"][3]]), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_not_there_is_missing() {
    let app = app().await;
    let path = "/compliance/checks/0190aaaa-0000-7000-8000-000000000001";
    app.get(path).await.expect_problem(404, "not_found");
    app.get("/compliance/checks/1").await.expect_problem(404, "not_found");
}
