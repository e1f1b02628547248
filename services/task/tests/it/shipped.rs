//! The reactions that the migration ships, on the canned events of the contracts.

use bhiv_events::Contract;
use bhiv_events::compliance::{ComplianceViolation, ErasureAnnounced, ErasureCancelled};
use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::{LeadCreated, OpportunityWon};
use bhiv_events::logistics::{DeliveryCompleted, DeliveryDelayed, DeliveryScheduled, InventoryLow};
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::{app, id, items, texts};

/// Delivers an event and answers the task that came of it.
async fn task_after<C: Contract>(app: &TestApp, data: &C) -> Value {
    let event = app.event(data);
    app.deliver_twice(&event).await;
    let [run] = items(app, &format!("/task/runs?event_id={}", event.id)).await.try_into().unwrap();
    assert_eq!(run["outcome"], "done", "{run:#}");
    let effects = run["effects"].as_array().unwrap();
    let task = effects.last().unwrap().as_str().unwrap().strip_prefix("created task/").unwrap();
    let task = app.get(&format!("/task/tasks/{task}")).await.expect(200);
    assert_eq!(task["correlation_id"], json!(event.correlationid));
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reaction_is_there_and_enabled() {
    let app = app().await;
    let workflows = items(&app, "/task/workflows?enabled=true").await;
    assert_eq!(
        texts(&workflows, "trigger"),
        [
            "erasure_cancelled",
            "erasure_announced",
            "unified_received",
            "inventory_low",
            "compliance_violation",
            "delivery_completed",
            "delivery_delayed",
            "delivery_scheduled",
            "opportunity_won",
            "lead_created",
        ]
    );
    // What ships is what could be saved.
    for workflow in workflows {
        let saved = json!({"trigger": workflow["trigger"], "condition": workflow["condition"],
                           "actions": workflow["actions"]});
        app.patch(&format!("/task/workflows/{}", id(&workflow)), saved).await.expect(200);
    }
    assert_eq!(app.recorded().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_followed_up_within_a_day() {
    let app = app().await;
    let lead = LeadCreated::sample();
    let task = task_after(&app, &lead).await;
    assert_eq!(task["title"], "Follow up with Asha Verma");
    assert_eq!(task["description"], "They need: warehouse management");
    assert_eq!(task["reference"], format!("lead/{}", lead.lead_id));
    assert_eq!((&task["due_date"], &task["priority"]), (&json!("2027-01-16T08:00:00Z"), &json!("normal")));

    let task = task_after(&app, &LeadCreated { need: None, ..lead }).await;
    assert_eq!(task["description"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_won_opportunity_is_fulfilled_unless_it_was_won_by_its_delivery() {
    let app = app().await;
    let won = OpportunityWon::sample();
    let task = task_after(&app, &won).await;
    assert_eq!(task["title"], "Fulfil the opportunity won over 25000.00 INR");
    assert_eq!(task["reference"], format!("opportunity/{}", won.opportunity_id));
    assert_eq!(task["priority"], "high");

    let mut delivered = app.event(&won);
    delivered.actor = "service/crm".to_owned();
    app.deliver_twice(&delivered).await;
    let [run] = items(&app, &format!("/task/runs?event_id={}", delivered.id)).await.try_into().unwrap();
    assert_eq!((&run["outcome"], &run["error"]), (&json!("condition_not_met"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_hears_of_a_delivery_and_is_asked_how_it_was() {
    let app = app().await;
    let scheduled = DeliveryScheduled::sample();
    let task = task_after(&app, &scheduled).await;
    assert_eq!(task["title"], "Tell the customer: delivery on 2026-01-01, tracking number BHV7Q2M4X9K3");
    assert_eq!(task["reference"], format!("delivery/{}", scheduled.delivery_id));

    let completed = DeliveryCompleted::sample();
    let task = task_after(&app, &completed).await;
    assert_eq!(task["title"], format!("Ask for feedback on order {}", completed.order_id));
    assert_eq!(task["reference"], format!("order/{}", completed.order_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_escalates_what_is_open_and_not_the_task_that_it_creates() {
    let app = app().await;
    let delayed = DeliveryDelayed { reason: Some("snow".to_owned()), ..DeliveryDelayed::sample() };
    let reference = format!("order/{}", delayed.order_id);
    app.post("/task/tasks", json!({"title": "Pack it", "reference": reference})).await.expect(201);
    let task = task_after(&app, &delayed).await;
    assert_eq!(task["title"], "Tell the customer that delivery BHV7Q2M4X9K3 is late");
    assert_eq!((&task["priority"], &task["status"]), (&json!("urgent"), &json!("pending")));
    assert_eq!(task["reference"], reference);
    let escalated = items(&app, "/task/tasks?status=escalated").await;
    assert_eq!(texts(&escalated, "title"), ["Pack it"]);
    let recorded = app.recorded().await;
    let told = recorded.iter().find(|event| event.name() == "task_escalated").unwrap();
    assert_eq!(told.data["reason"], "delivery BHV7Q2M4X9K3 is late: snow");
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_low_stock_and_unified_events_are_looked_at() {
    let app = app().await;
    let violation = ComplianceViolation::sample();
    let task = task_after(&app, &violation).await;
    assert_eq!(task["title"], format!("Review a violation: lead_created of {}", violation.entity));
    assert_eq!(
        task["description"],
        "lead-needs-consent: A lead may be kept only with consent to be contacted"
    );
    assert_eq!(task["reference"], format!("check/{}", violation.check_id));
    assert_eq!(task["priority"], "urgent");

    let task = task_after(&app, &InventoryLow::sample()).await;
    assert_eq!(task["title"], "Restock RACK-20 at main");
    assert_eq!(task["description"], "3 available; it is ordered again at 5.");
    assert_eq!(task["reference"], "product/RACK-20");

    let announced = ErasureAnnounced::sample();
    let task = task_after(&app, &announced).await;
    assert_eq!(
        task["title"],
        format!("Tell {} that their data goes at 2026-01-03T00:00:00Z", announced.person)
    );
    assert_eq!((&task["due_date"], &task["priority"]), (&json!("2027-01-15T09:00:00Z"), &json!("urgent")));

    let before = app.get(&format!("/task/tasks/{}", id(&task))).await.expect(200);
    assert_eq!(before["status"], "pending");
    let cancelled = app.event(&ErasureCancelled::sample());
    app.deliver_twice(&cancelled).await;
    let after = app.get(&format!("/task/tasks/{}", id(&task))).await.expect(200);
    assert_eq!((&after["status"], &after["version"]), (&json!("cancelled"), &json!(2)));

    let unified = UnifiedReceived::sample();
    let task = task_after(&app, &unified).await;
    assert_eq!(task["title"], "Look at order_reviewed of ravi");
    assert_eq!(task["reference"], format!("unified/{}", unified.unified_id));
}
