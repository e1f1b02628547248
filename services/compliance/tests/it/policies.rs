use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::{AccountChanged, LeadCreated};
use bhiv_events::logistics::OrderCreated;
use bhiv_testing::TestApp;
use chrono::TimeDelta;
use compliance::{Compliance, Config};
use serde_json::{Value, json};

use crate::{app, check_of, sql};

const NO_RUPEES: &str = "forbid (principal, action == Action::\"order_created\", resource)
when { context.data.currency == \"INR\" };";

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_policies_are_listed() {
    let app = app().await;
    let policies = app.get("/compliance/policies").await.expect(200);
    let policies = policies["items"].as_array().unwrap();
    let ids: Vec<_> = policies.iter().map(|policy| policy["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "large-order-needs-opportunity",
            "lead-needs-consent",
            "ordinary-business",
            "unified-needs-consent",
            "withdrawn-consent",
        ]
    );
    let ordinary = &policies[2];
    assert_eq!(ordinary["says"], "Ordinary business is permitted");
    assert_eq!(ordinary["cedar"], "permit (principal, action, resource);");
    assert_eq!((&ordinary["enabled"], &ordinary["version"]), (&json!(true), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_policy_takes_effect_at_once() {
    let app = app().await;
    let judged = async || -> Value {
        let lead = LeadCreated { consent_purposes: Vec::new(), ..LeadCreated::sample() };
        let event = app.event(&lead);
        app.deliver_twice(&event).await;
        let check = check_of(&app, &event).await;
        json!([check["verdict"], check["rules"][0]["says"]])
    };
    assert_eq!(judged().await[0], "violation");
    sql(&app, "UPDATE policies SET enabled = false WHERE id = 'lead-needs-consent'").await;
    assert_eq!(judged().await[0], "compliant");
    sql(
        &app,
        "UPDATE policies SET says = 'No textiles', cedar = 'forbid (principal, action, resource)
           when { context.data.company like \"*Textiles\" };', version = 2, enabled = true
         WHERE id = 'lead-needs-consent'",
    )
    .await;
    assert_eq!(judged().await, json!(["violation", "No textiles"]));
    sql(&app, "DELETE FROM policies WHERE id <> 'ordinary-business'").await;
    assert_eq!(judged().await, json!(["compliant", "Ordinary business is permitted"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_policy_is_named_and_decides_nothing() {
    let app = app().await;
    sql(
        &app,
        "UPDATE policies SET cedar = CASE id
             WHEN 'lead-needs-consent' THEN 'forbid (principal, action, resource) when { context.data.colour };'
             ELSE 'forbid everything' END
         WHERE id IN ('lead-needs-consent', 'withdrawn-consent')",
    )
    .await;
    let event = app.event(&AccountChanged::sample());
    app.deliver_twice(&event).await;
    let check = check_of(&app, &event).await;
    assert_eq!(
        (&check["verdict"], &check["rules"][0]["id"]),
        (&json!("compliant"), &json!("ordinary-business"))
    );
    let errors = check["errors"].as_array().unwrap();
    let named: Vec<_> = errors.iter().map(|error| error["policy"].as_str().unwrap()).collect();
    assert_eq!(named, ["lead-needs-consent", "withdrawn-consent"]);
    assert!(errors[0]["error"].as_str().unwrap().contains("colour"), "{errors:#?}");
    assert!(!errors[1]["error"].as_str().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_policy_permits_is_a_violation() {
    let app = app().await;
    sql(&app, "UPDATE policies SET enabled = false").await;
    let event = app.event(&AccountChanged::sample());
    app.deliver_twice(&event).await;
    let check = check_of(&app, &event).await;
    assert_eq!((&check["verdict"], &check["rules"]), (&json!("violation"), &json!([])));
    assert_eq!(app.recorded_names().await, ["compliance_checked", "compliance_violation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_judges_nothing_until_it_is_enabled() {
    let app = app().await;
    let new = json!({"id": "no-rupees", "says": "No orders in rupees", "cedar": NO_RUPEES});
    let answer = app.post("/compliance/policies", new.clone()).await;
    assert_eq!(answer.headers["location"], "/compliance/policies/no-rupees");
    let draft = answer.expect(201);
    assert_eq!((&draft["enabled"], &draft["version"]), (&json!(false), &json!(1)));
    app.post("/compliance/policies", new).await.expect_problem(409, "policy_exists");
    let judged = async || {
        let event = app.event(&OrderCreated::sample());
        app.deliver_twice(&event).await;
        check_of(&app, &event).await
    };
    assert_eq!(judged().await["verdict"], "compliant");
    let path = "/compliance/policies/no-rupees";
    let enabled = app.patch(path, json!({"enabled": true})).await.expect(200);
    assert_eq!(app.get(path).await.expect(200), enabled);
    let check = judged().await;
    assert_eq!(check["rules"], json!([{"id": "no-rupees", "version": 2, "says": "No orders in rupees"}]));
    assert_eq!(check["flip"]["says"], "if currency had been \"not INR\"");

    let said = app.patch(path, json!({"says": "Nothing in rupees"})).await.expect(200);
    assert_eq!(app.patch(path, json!({"says": "Nothing in rupees"})).await.expect(200), said, "no change");
    let versions = app.get(&format!("{path}/versions")).await.expect(200);
    let versions: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| json!([version["version"], version["enabled"], version["says"], version["actor"]]))
        .collect();
    assert_eq!(
        versions,
        [
            json!([3, true, "Nothing in rupees", "user/admin-1"]),
            json!([2, true, "No orders in rupees", "user/admin-1"]),
            json!([1, false, "No orders in rupees", "user/admin-1"]),
        ]
    );
    assert_eq!(app.audited().await, ["policy.create", "policy.update", "policy.update"]);
    let shipped = app.get("/compliance/policies/ordinary-business/versions").await.expect(200);
    assert_eq!(shipped["items"].as_array().unwrap().len(), 1);
    assert_eq!(check_of_again(&app, &check).await, check, "what was judged stays as it was judged");
}

async fn check_of_again(app: &TestApp, check: &Value) -> Value {
    app.get(&format!("/compliance/checks/{}", check["id"].as_str().unwrap())).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_used_is_refused_with_its_place() {
    let app = app().await;
    let new = |cedar: &str| json!({"id": "mine", "says": "Mine", "cedar": cedar, "enabled": true});
    let unreadable = "permit (principal, action, resource)\nwhen { 1 == };";
    let problem = app.post("/compliance/policies", new(unreadable)).await;
    let problem = problem.expect_problem(422, "invalid_policy");
    assert_eq!((&problem["faults"][0]["line"], &problem["faults"][0]["column"]), (&json!(2), &json!(13)));
    assert_eq!(problem["errors"][0]["pointer"], "/cedar");
    let says = problem["errors"][0]["message"].as_str().unwrap();
    assert!(says.starts_with("line 2, column 13: "), "{says}");

    let unknown = "forbid (principal, action == Action::\"order_created\", resource)
when { context.data.colour == \"red\" || context.data.total > 5 };";
    let problem = app.post("/compliance/policies", new(unknown)).await.expect_problem(422, "invalid_policy");
    let lines: Vec<_> = problem["faults"].as_array().unwrap().iter().map(|fault| &fault["line"]).collect();
    assert_eq!(lines, [2, 2], "every fault is told");
    let bad = json!({"id": "Not A Word", "says": "", "cedar": ""});
    let problem = app.post("/compliance/policies", bad).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/cedar", "/id", "/says"]);
    assert_eq!(app.get("/compliance/policies").await.expect(200)["items"].as_array().unwrap().len(), 5);

    let path = "/compliance/policies/lead-needs-consent";
    let before = app.get(path).await.expect(200);
    let problem = app.patch(path, json!({"cedar": unknown})).await;
    problem.expect_problem(422, "invalid_policy");
    let trial = json!({"cedar": unknown});
    app.post(&format!("{path}/backtest"), trial).await.expect_problem(422, "invalid_policy");
    assert_eq!(app.get(path).await.expect(200), before);
    assert_eq!(app.recorded().await, []);

    // One that is broken already can be switched off.
    sql(&app, "UPDATE policies SET cedar = 'forbid everything' WHERE id = 'lead-needs-consent'").await;
    app.patch(path, json!({"enabled": false})).await.expect(200);
    app.patch(path, json!({"enabled": true})).await.expect_problem(422, "invalid_policy");
    app.patch("/compliance/policies/nothing", json!({})).await.expect_problem(404, "not_found");
    app.get("/compliance/policies/nothing").await.expect_problem(404, "not_found");
    app.get("/compliance/policies/nothing/versions").await.expect_problem(404, "not_found");
    app.post("/compliance/policies/nothing/backtest", json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_policy_could_be_written_today() {
    let app = app().await;
    let policies = app.get("/compliance/policies").await.expect(200);
    for policy in policies["items"].as_array().unwrap() {
        let copy = format!("{}-again", policy["id"].as_str().unwrap());
        let new = json!({"id": copy, "says": policy["says"], "cedar": policy["cedar"]});
        app.post("/compliance/policies", new).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_tried_on_what_was_judged() {
    let app = app().await;
    let dollars = OrderCreated { currency: "USD".to_owned(), ..OrderCreated::sample() };
    let mut events = Vec::new();
    for order in [&OrderCreated::sample(), &dollars, &OrderCreated::sample()] {
        let event = app.event(order);
        app.deliver_twice(&event).await;
        events.push(event);
        app.clock.advance(TimeDelta::minutes(1));
    }
    let lead = app.event(&LeadCreated { consent_purposes: Vec::new(), ..LeadCreated::sample() });
    app.deliver_twice(&lead).await;
    let new = json!({"id": "no-rupees", "says": "No orders in rupees", "cedar": NO_RUPEES});
    app.post("/compliance/policies", new).await.expect(201);
    let recorded = app.recorded().await.len();
    let path = "/compliance/policies/no-rupees/backtest";
    let tried = app.post(path, json!({})).await.expect(200);
    assert_eq!(
        (&tried["judged"], &tried["truncated"], &tried["errors"]),
        (&json!(4), &json!(false), &json!([]))
    );
    let flips = tried["flips"].as_array().unwrap();
    let flipped: Vec<_> = flips.iter().map(|flip| flip["event_id"].clone()).collect();
    assert_eq!(flipped, [json!(events[2].id), json!(events[0].id)], "every flip, the newest first");
    assert_eq!((&flips[0]["before"], &flips[0]["after"]), (&json!("compliant"), &json!("violation")));
    assert_eq!(flips[0]["rules_before"][0]["id"], "ordinary-business");
    assert_eq!(flips[0]["rules_after"][0]["id"], "no-rupees");

    let dollars = NO_RUPEES.replace("INR", "USD");
    let tried = app.post(path, json!({"cedar": dollars, "limit": 3})).await.expect(200);
    assert_eq!((&tried["judged"], &tried["truncated"]), (&json!(3), &json!(true)));
    let flips = tried["flips"].as_array().unwrap();
    assert_eq!((flips.len(), &flips[0]["event_id"]), (1, &json!(events[1].id)));
    let off = app.post("/compliance/policies/lead-needs-consent/backtest", json!({"enabled": false})).await;
    let off = off.expect(200);
    assert_eq!(
        (&off["flips"][0]["event_id"], &off["flips"][0]["after"]),
        (&json!(lead.id), &json!("compliant"))
    );
    let narrow =
        json!({"event_type": "order_created", "from": events_at(&app, 4), "until": events_at(&app, 2)});
    assert_eq!(app.post(path, narrow).await.expect(200)["judged"], 1);
    let nothing = json!({"limit": 0, "since": "yesterday"});
    app.post(path, nothing).await.expect_problem(422, "invalid_input");
    assert_eq!(app.recorded().await.len(), recorded, "nothing is done");
}

fn events_at(app: &TestApp, minutes: i64) -> Value {
    json!(app.clock.now() - TimeDelta::minutes(minutes))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_judged_is_kept_for_its_time_only() {
    let config = Config { keep_events_days: 0, ..Config::default() };
    let app = TestApp::start::<Compliance>(config).await;
    let event = app.event(&OrderCreated::sample());
    app.deliver_twice(&event).await;
    let kept = async || {
        let tried = app.post("/compliance/policies/ordinary-business/backtest", json!({})).await.expect(200);
        tried["judged"].clone()
    };
    assert_eq!(kept().await, 1);
    app.clock.advance(TimeDelta::hours(1));
    // Housekeeping looks once a minute, and at once when the service starts.
    let _other =
        TestApp::replica_of::<Compliance>(&app, |_| Config { keep_events_days: 0, ..Config::default() });
    app.eventually(async || (kept().await == 0).then_some(())).await;
    assert_eq!(check_of(&app, &event).await["verdict"], "compliant", "the verdict stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_write_policies() {
    let mut app = app().await;
    app.speak_as(Role::Service);
    let new = json!({"id": "no-rupees", "says": "No orders in rupees", "cedar": NO_RUPEES});
    let path = "/compliance/policies/ordinary-business";
    for answer in [
        app.post("/compliance/policies", new).await,
        app.patch(path, json!({"enabled": false})).await,
        app.post(&format!("{path}/backtest"), json!({})).await,
    ] {
        let problem = answer.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "compliance:admin");
    }
    app.get(path).await.expect(200);
}
