//! What forbids actions: rules, violations that compliance found, consent that was withdrawn.

use bhiv_auth::Role;
use bhiv_events::compliance::{ComplianceChecked, ComplianceViolation, ConsentGranted, ConsentRevoked, Rule};
use bhiv_events::{Contract as _, Event};
use bhiv_testing::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, judged};

const ORDER: &str = "0190aaaa-0000-7000-8000-000000000001";
const LEAD: &str = "lead/0190aaaa-0000-7000-8000-000000000002";

fn order(total: u32) -> Value {
    json!({"query": "Approve?", "context": {"order_id": ORDER, "total": total}})
}

async fn masked(app: &TestApp, new: Value) -> Vec<(String, String)> {
    let made = app.post("/rl/decisions", new).await.expect(201);
    let text = |mask: &Value, what: &str| mask[what].as_str().unwrap().to_owned();
    let masked = made["masked"].as_array().unwrap();
    masked.iter().map(|mask| (text(mask, "action"), text(mask, "rule"))).collect()
}

fn pairs(rule: &str, actions: &[&str]) -> Vec<(String, String)> {
    actions.iter().map(|action| ((*action).to_owned(), rule.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_leaves_an_action_no_chance_and_the_propensity_says_so() {
    let app = app().await;
    let made = app.post("/rl/decisions", order(1_000_000)).await.expect(201);
    assert_eq!(judged(&made, "propensity"), [("hold".to_owned(), 1.0)], "what is forbidden is no candidate");
    let rule = json!("large-orders-are-looked-at");
    assert_eq!((&made["masked"][0]["rule"], &made["masked"][1]["rule"]), (&rule, &rule));
    assert_eq!(made["masked"][0]["says"], "An order of 1,000,000 or more is looked at by a person");
    assert_eq!(masked(&app, order(999_999)).await, []);

    let only = json!({"query": "Approve?", "kind": "order_approval", "context": {"total": 2_000_000}, "candidates": ["approve", "expedite"]});
    let recorded = app.recorded().await.len();
    let problem = app.post("/rl/decisions", only).await.expect_problem(409, "all_masked");
    assert_eq!(problem["masks"].as_array().unwrap().len(), 2);
    assert_eq!(problem["masks"][1]["action"], "expedite");
    assert_eq!(app.recorded().await.len(), recorded, "nothing is decided");
}

fn violation(check: u128) -> ComplianceViolation {
    ComplianceViolation {
        check_id: Uuid::from_u128(check),
        event_type: "order_created".to_owned(),
        entity: format!("order/{ORDER}"),
        rules: vec![Rule { id: "large".to_owned(), says: "Large orders need an opportunity".to_owned() }],
        ..ComplianceViolation::sample()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_forbids_until_it_is_over_or_lifted() {
    let mut app = app().await;
    app.deliver_twice(&app.event(&violation(5))).await;
    assert_eq!(masked(&app, order(10)).await, pairs("compliance", &["approve", "expedite"]));
    let other = json!({"query": "Approve?", "context": {"order_id": "0190aaaa-0000-7000-8000-000000000009"}});
    assert_eq!(masked(&app, other).await, [], "another order is another matter");

    // An older check, however late it comes, changes nothing; nor does one of another kind of event.
    let compliant = |check, event_type: &str| ComplianceChecked {
        check_id: Uuid::from_u128(check),
        event_type: event_type.to_owned(),
        entity: format!("order/{ORDER}"),
        verdict: "compliant".to_owned(),
        ..ComplianceChecked::sample()
    };
    app.deliver_twice(&app.event(&compliant(4, "order_created"))).await;
    app.deliver_twice(&app.event(&compliant(9, "order_status_changed"))).await;
    assert_eq!(masked(&app, order(10)).await.len(), 2);
    app.deliver_twice(&app.event(&compliant(6, "order_created"))).await;
    assert_eq!(masked(&app, order(10)).await, []);

    app.deliver_twice(&app.event(&violation(7))).await;
    let list = app.get(&format!("/rl/verdicts?entity=order/{ORDER}")).await.expect(200);
    assert_eq!(
        (&list["total"], &list["items"][0]["says"]),
        (&json!(1), &json!(["Large orders need an opportunity"]))
    );
    let path = format!("/rl/verdicts/{}/lift", Uuid::from_u128(7));
    app.post(&path, json!({"reason": ""})).await.expect_problem(422, "invalid_input");
    let lifted = app.post(&path, json!({"reason": "It came from an old opportunity"})).await.expect(200);
    assert_eq!(lifted["entity"], format!("order/{ORDER}"));
    app.post(&path, json!({"reason": "Again"})).await.expect_problem(404, "not_found");
    assert_eq!(masked(&app, order(10)).await, []);
    assert!(app.audited().await.contains(&"verdict.lift".to_owned()));
    app.speak_as(Role::Manager);
    let problem = app.post(&path, json!({"reason": "x"})).await.expect_problem(403, "permission_denied");
    assert_eq!(problem["required_permission"], "rl:admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdrew_consent_is_left_alone() {
    let app = app().await;
    let follow_up = || json!({"query": "How?", "kind": "lead_follow_up", "reference": LEAD, "context": {}});
    let at = |sequence: i64, event: Event| Event { sequence, ..event };
    let revoked =
        ConsentRevoked { person: LEAD.to_owned(), purpose: "contact".to_owned(), ..ConsentRevoked::sample() };
    let granted =
        ConsentGranted { person: LEAD.to_owned(), purpose: "contact".to_owned(), ..ConsentGranted::sample() };
    assert_eq!(masked(&app, follow_up()).await, []);
    app.deliver_twice(&at(2, app.event(&revoked))).await;
    assert_eq!(masked(&app, follow_up()).await, pairs("consent", &["call", "email", "visit"]));
    app.deliver_twice(&at(1, app.event(&granted))).await;
    assert_eq!(masked(&app, follow_up()).await.len(), 3, "what came before, and was heard later");
    app.deliver_twice(&at(3, app.event(&granted))).await;
    assert_eq!(masked(&app, follow_up()).await, []);
    app.deliver_twice(&at(4, app.event(&granted))).await;
    let told = app.recorded().await.into_iter().filter(|event| event.name() == "consent_applied");
    let told: Vec<_> = told.map(|event| (event.sequence, event.data["state"].clone())).collect();
    assert_eq!(
        told,
        [(2, json!("revoked")), (3, json!("granted"))],
        "of what changes nothing nobody is told"
    );
    let about_another = ConsentRevoked { purpose: "newsletter".to_owned(), ..revoked };
    app.deliver_twice(&at(1, app.event(&about_another))).await;
    assert_eq!(masked(&app, follow_up()).await, []);
}
