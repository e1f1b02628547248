use bhiv_events::Contract as _;
use bhiv_events::crm::{AccountChanged, LeadCreated};
use serde_json::{Value, json};

use crate::{app, check_of, sql};

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
