use bhiv_events::Contract as _;
use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::{LeadCreated, OpportunityLost, OpportunityWon};
use bhiv_events::rl::{EventScored, LeadScored, OutcomeRecorded};
use bhiv_events::task::FeedbackReceived;
use bhiv_outbox::Outcome;
use bhiv_testing::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, learned, path, policy};

fn bare(lead: u128) -> LeadCreated {
    LeadCreated {
        lead_id: Uuid::from_u128(lead),
        name: "Asha".to_owned(),
        company: None,
        source: None,
        budget: None,
        need: None,
        timeline: None,
        has_phone: false,
        consent_purposes: Vec::new(),
        owner: None,
        team: None,
    }
}

async fn decisions(app: &TestApp, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/rl/decisions?{query}")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn scores(app: &TestApp) -> Vec<f64> {
    app.recorded_as::<LeadScored>().await.iter().map(|scored| scored.score).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_scored_by_what_is_known_of_it() {
    let app = app().await;
    let full = LeadCreated { source: Some(" Referral".to_owned()), ..LeadCreated::sample() };
    let event = app.event(&full);
    app.deliver_twice(&event).await;
    app.deliver_twice(&app.event(&LeadCreated { source: None, ..full.clone() })).await;
    app.deliver_twice(&app.event(&bare(9))).await;
    let [referred, full_score, bare_score] = scores(&app).await.try_into().unwrap();
    assert!(referred > full_score + 0.15, "a referral counts: {referred} {full_score}");
    assert!(full_score > bare_score + 0.4, "what is known counts: {full_score} {bare_score}");
    assert!(referred < 1.0 && bare_score > 0.0);

    let [decision] =
        decisions(&app, &format!("reference=lead/{}&limit=1", Uuid::from_u128(9))).await.try_into().unwrap();
    assert_eq!((&decision["kind"], &decision["score"]), (&json!("lead_score"), &json!(bare_score)));
    assert_eq!(decision["actor"], "service/rl");
    let recorded = app.recorded().await;
    assert_eq!(recorded[0].correlationid, event.correlationid, "the score is part of the lead's story");
    assert_eq!(recorded[0].causationid, Some(event.id));
    assert_eq!(recorded[0].sequence, 1);
    assert_eq!(app.recorded_names().await, ["lead_scored"; 3], "a score is no decision_made");
    let told = decisions(&app, "kind=lead_score").await;
    assert!(told.iter().all(|decision| !decision.to_string().contains("Asha")), "no names are kept");
}

/// Waits until leads are scored by what became of so many.
async fn known(app: &TestApp, leads: u128) {
    let policy = learned(app, "lead_score", i64::try_from(leads).unwrap()).await;
    let probe = json!({"query": "Worth it?", "context": {}, "kind": "lead_score"});
    crate::decided_with(app, &probe, &policy["version"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_score_moves_with_what_became_of_leads() {
    let app = app().await;
    for lead in 1..=12 {
        app.deliver_twice(&app.event(&bare(lead))).await;
        let won = OpportunityWon { lead_id: Uuid::from_u128(lead), ..OpportunityWon::sample() };
        app.deliver_twice(&app.event(&won)).await;
        known(&app, lead).await;
    }
    let rising = scores(&app).await;
    assert!(rising.windows(2).all(|pair| pair[1] > pair[0]), "each win raises the next score: {rising:?}");
    for lead in 13..=24 {
        app.deliver_twice(&app.event(&bare(lead))).await;
        let lost = OpportunityLost { lead_id: Uuid::from_u128(lead), ..OpportunityLost::sample() };
        app.deliver_twice(&app.event(&lost)).await;
        known(&app, lead).await;
    }
    let falling = scores(&app).await.split_off(12);
    assert!(falling.windows(2).all(|pair| pair[1] < pair[0]), "each loss lowers it: {falling:?}");
    assert_eq!(policy(&app, "lead_score").await["mean_reward"], 0.5);
    let audited = app.audited().await;
    assert!(audited.iter().all(|action| action == "decision.create"), "only those asked for: {audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_rewarded_once() {
    let app = app().await;
    app.deliver_twice(&app.event(&bare(1))).await;
    let won = OpportunityWon { lead_id: Uuid::from_u128(1), ..OpportunityWon::sample() };
    let lost = OpportunityLost { lead_id: Uuid::from_u128(1), ..OpportunityLost::sample() };
    app.deliver_twice(&app.event(&won)).await;
    app.deliver_twice(&app.event(&lost)).await;
    let [outcome] = app.recorded_as::<OutcomeRecorded>().await.try_into().unwrap();
    assert_eq!((outcome.reward, outcome.model_version), (1.0, 1));
    assert_eq!(outcome.reference, Some(format!("lead/{}", Uuid::from_u128(1))));

    let unknown = OpportunityWon { lead_id: Uuid::from_u128(5), ..won };
    assert_eq!(app.deliver(&app.event(&unknown)).await, [Outcome::Done]);
    learned(&app, "lead_score", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unified_event_is_scored() {
    let app = app().await;
    let unified = |rl_score, unified: u128| UnifiedReceived {
        unified_id: Uuid::from_u128(unified),
        rl_score,
        ..UnifiedReceived::sample()
    };
    app.deliver_twice(&app.event(&unified(Some(0.9), 1))).await;
    app.deliver_twice(&app.event(&unified(Some(0.1), 2))).await;
    app.deliver_twice(&app.event(&unified(None, 3))).await;
    let scored = app.recorded_as::<EventScored>().await;
    assert!(scored[0].score > scored[1].score && scored[1].score > scored[2].score, "{scored:?}");
    assert_eq!(scored[0].unified_id, Uuid::from_u128(1));
    assert_eq!(app.recorded_names().await, ["event_scored"; 3]);

    let [decision] =
        decisions(&app, &format!("reference=unified/{}", Uuid::from_u128(1))).await.try_into().unwrap();
    assert_eq!(json!(scored[0].decision_id), decision["decision_id"]);
    let context =
        json!({"event_type": "order_reviewed", "rl_score": 0.9, "consent_flag": true, "hour": "00"});
    assert_eq!(decision["context"], context);
    // An outcome can be reported to it like to any other decision.
    app.post(&format!("{}/outcome", path(&decision)), json!({"reward": 0})).await.expect(200);
    learned(&app, "event_score", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_rewards_the_newest_decision_about_the_order() {
    let app = app().await;
    let order = FeedbackReceived::sample().order_id;
    let decide = json!({"query": "Approve?", "context": {"order_id": order, "total": 10}});
    let older = app.post("/rl/decisions", decide.clone()).await.expect(201);
    let newer = app.post("/rl/decisions", decide).await.expect(201);
    let feedback = |rating| FeedbackReceived { rating, ..FeedbackReceived::sample() };

    app.deliver_twice(&app.event(&feedback(4))).await;
    assert_eq!(app.get(&path(&newer)).await.expect(200)["reward"], 0.75);
    assert_eq!(app.get(&path(&older)).await.expect(200)["reward"], json!(null));
    app.deliver_twice(&app.event(&feedback(1))).await;
    assert_eq!(app.get(&path(&older)).await.expect(200)["reward"], 0.0);
    // Both have their reward: a third one has nowhere to go.
    app.deliver_twice(&app.event(&feedback(5))).await;
    assert_eq!(app.recorded_as::<OutcomeRecorded>().await.len(), 2);
    learned(&app, "order_approval", 2).await;
    assert_eq!(app.audited().await, ["decision.create", "decision.create"]);
    app.post(&format!("{}/outcome", path(&newer)), json!({"reward": 1}))
        .await
        .expect_problem(409, "outcome_exists");

    let outcomes = app.deliver(&app.event(&feedback(6))).await;
    assert!(matches!(outcomes.as_slice(), [Outcome::Dead(_)]), "{outcomes:?}");
}
