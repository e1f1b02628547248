//! What the shipped policies make of the business's events.

use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::{LeadCreated, LeadUpdated, OpportunityCreated};
use bhiv_events::logistics::OrderCreated;
use bhiv_events::{Contract, Producer, catalog};
use bhiv_testing::TestApp;
use bhiv_types::Amount;
use serde_json::json;
use uuid::Uuid;

use crate::{app, check_of, grant, revoke, sql};

/// Verdict on an event, and the rules that decided it.
async fn verdict<C: Contract>(app: &TestApp, data: C) -> String {
    let event = app.event(&data);
    app.deliver_twice(&event).await;
    let check = check_of(app, &event).await;
    assert_eq!(check["errors"], json!([]), "{check:#}");
    let rules = check["rules"].as_array().unwrap();
    let rules: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    format!("{} by {}", check["verdict"].as_str().unwrap(), rules.join(","))
}

const FINE: &str = "compliant by ordinary-business";

#[tokio::test(flavor = "multi_thread")]
async fn every_ordinary_event_is_compliant() {
    let app = app().await;
    let business = [Producer::Crm, Producer::Logistics, Producer::Task, Producer::Core];
    let mut heard = 0;
    for entry in catalog() {
        let event = (entry.sample)(app.clock.id());
        if ["person_erased", "consent_applied"].contains(&entry.kind.name) {
            continue; // They are heard, and not judged: see erasures.rs and consents.rs.
        }
        if business.contains(&entry.kind.producer) && entry.kind.name != "audit_recorded" {
            app.deliver_twice(&event).await;
            let check = check_of(&app, &event).await;
            assert_eq!(check["event_type"], entry.kind.name);
            assert_eq!(check["verdict"], "compliant", "{check:#}");
            assert_eq!(check["rules"][0]["says"], "Ordinary business is permitted");
            assert_eq!(check["errors"], json!([]));
            heard += 1;
        } else {
            assert_eq!(app.deliver(&event).await, [], "{} is not judged", entry.kind.type_);
        }
    }
    assert!(heard >= 20, "{heard}");
    assert_eq!(app.get("/compliance/violations").await.expect(200)["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_needs_consent_to_contact() {
    let app = app().await;
    let lead = |purposes: &[&str]| LeadCreated {
        lead_id: app.clock.id(),
        consent_purposes: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
        ..LeadCreated::sample()
    };
    assert_eq!(verdict(&app, lead(&["newsletter", "contact"])).await, FINE);
    assert_eq!(verdict(&app, lead(&["newsletter"])).await, "violation by lead-needs-consent");
    assert_eq!(verdict(&app, lead(&[])).await, "violation by lead-needs-consent");

    let mut silent = app.event(&lead(&[]));
    silent.data["consent_purposes"] = json!(null);
    app.deliver(&silent).await;
    assert_eq!(check_of(&app, &silent).await["verdict"], "violation", "silence is no consent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_judged_knowing_what_the_person_agreed_to() {
    let app = app().await;
    sql(
        &app,
        "UPDATE policies SET cedar = 'forbid (principal, action == Action::\"lead_created\", resource)
           unless { context.consented.contains(\"contact\") };' WHERE id = 'lead-needs-consent'",
    )
    .await;
    assert_eq!(verdict(&app, LeadCreated::sample()).await, FINE);
    let (lead_id, consent_purposes) = (app.clock.id(), Vec::new());
    let careless = LeadCreated { lead_id, consent_purposes, ..LeadCreated::sample() };
    assert_eq!(verdict(&app, careless).await, "violation by lead-needs-consent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_event_needs_its_consent_flag() {
    let app = app().await;
    let unified = |consent_flag| UnifiedReceived { consent_flag, ..UnifiedReceived::sample() };
    assert_eq!(verdict(&app, unified(true)).await, FINE);
    assert_eq!(verdict(&app, unified(false)).await, "violation by unified-needs-consent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_order_needs_an_opportunity() {
    let app = app().await;
    let order = |total: &str, opportunity_id| OrderCreated {
        total: serde_json::from_value::<Amount>(json!(total)).unwrap().get(),
        opportunity_id,
        ..OrderCreated::sample()
    };
    let large = "violation by large-order-needs-opportunity";
    for (total, expected) in [
        ("999999.99", FINE),
        ("999999", FINE),
        ("0", FINE),
        ("1000000", large),
        ("1000000.0000", large),
        ("1000000.01", large),
        ("25000000", large),
        ("999999999999999.9999", large),
    ] {
        assert_eq!(verdict(&app, order(total, None)).await, expected, "{total}");
        assert_eq!(verdict(&app, order(total, Some(Uuid::nil()))).await, FINE, "{total}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdrew_consent_is_not_worked_on() {
    let app = app().await;
    let (lead, person) = (LeadUpdated::sample(), LeadUpdated::sample().subject());
    let withdrawn = "violation by withdrawn-consent";
    assert_eq!(verdict(&app, lead.clone()).await, FINE, "nothing was ever said");
    revoke(&app, &person, "contact").await;
    assert_eq!(verdict(&app, lead.clone()).await, FINE, "who never agreed did not withdraw");
    grant(&app, &person, "contact").await;
    grant(&app, &person, "newsletter").await;
    revoke(&app, &person, "newsletter").await;
    assert_eq!(verdict(&app, lead.clone()).await, FINE, "another purpose");

    revoke(&app, &person, "contact").await;
    assert_eq!(verdict(&app, lead.clone()).await, withdrawn);
    assert_eq!(verdict(&app, OpportunityCreated::sample()).await, withdrawn, "found by its lead");
    revoke(&app, &person, "contact").await;
    assert_eq!(verdict(&app, lead.clone()).await, withdrawn, "no twice is still no");
    let (lead_id, opportunity_id) = (app.clock.id(), app.clock.id());
    let other = OpportunityCreated { lead_id, opportunity_id, ..OpportunityCreated::sample() };
    assert_eq!(verdict(&app, other).await, FINE, "another person");

    grant(&app, &person, "contact").await;
    assert_eq!(verdict(&app, lead).await, FINE);
}
