//! Who withdraws consent, or is erased, was never learned from.

use bhiv_events::compliance::{ConsentRevoked, ErasureRequested};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{AuditRecorded, Contract as _, Producer};
use bhiv_testing::TestApp;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, decided_with, judged, learned, path, policy, reward};

const ASHA: &str = "lead/0190aaaa-0000-7000-8000-0000000000a1";
const RAVI: &str = "lead/0190aaaa-0000-7000-8000-0000000000b2";

fn ask(kind: &str, lead: &str, budget: u32) -> Value {
    json!({"query": "How?", "kind": kind, "reference": lead, "context": {"budget": budget, "source": "fair"},
           "candidates": ["call", "email"]})
}

/// A decision about a lead, rewarded, and learned from alone.
async fn told(app: &TestApp, kind: &str, lead: &str, budget: u32, worth: f64) {
    let before = policy(app, kind).await["observations"].as_i64().unwrap();
    let made = app.post("/rl/decisions", ask(kind, lead, budget)).await.expect(201);
    reward(app, &made, worth).await;
    learned(app, kind, before + 1).await;
}

/// What a policy knows, as its newest snapshot has it.
async fn hash(app: &TestApp, kind: &str) -> String {
    let curve = app.get(&format!("/rl/policies/{kind}/curve")).await.expect(200);
    curve["points"].as_array().unwrap().last().unwrap()["hash"].as_str().unwrap().to_owned()
}

async fn forgotten(app: &TestApp) -> AuditRecorded {
    let kind = AuditRecorded::kind(Producer::Rl);
    let rows = app.recorded().await;
    let audits = rows.iter().filter(|event| event.type_ == kind.type_);
    audits
        .map(|event| event.read::<AuditRecorded>().unwrap())
        .find(|row| row.action == "policy.forget")
        .unwrap()
}

/// One that learned from two people and forgot one knows, bit for bit, what one knows that never met them: also where
/// features are brought to one scale, which the forgotten had moved.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_from_who_withdraws_consent_is_gone() {
    for kind in ["general", "lead_follow_up"] {
        let with = app().await;
        told(&with, kind, RAVI, 100, 0.9).await;
        told(&with, kind, ASHA, 90_000, 0.1).await;
        told(&with, kind, RAVI, 300, 0.6).await;
        let open = with.post("/rl/decisions", ask(kind, ASHA, 5)).await.expect(201);
        let knew = hash(&with, kind).await;
        let revoked = ConsentRevoked {
            person: ASHA.to_owned(),
            purpose: "profiling".to_owned(),
            ..ConsentRevoked::sample()
        };
        with.deliver_twice(&with.event(&revoked)).await;
        let policy = learned(&with, kind, 2).await;

        let audit = forgotten(&with).await;
        assert_eq!(audit.entity, format!("policy/{kind}"));
        let (before, after) = (audit.before.unwrap(), audit.after.unwrap());
        assert_eq!((&before["observations"], &after["observations"]), (&json!(3), &json!(2)));
        assert_eq!((&before["hash"], &after["hash"]), (&json!(knew), &json!(hash(&with, kind).await)));
        assert_ne!(before["hash"], after["hash"]);

        // What is known without them follows from the decisions that are left.
        let mut conn = with.database.connect().await;
        diesel::sql_query("UPDATE policies SET statistics = NULL").execute(&mut conn).await.unwrap();
        let anew = TestApp::replica_of::<rl::Rl>(&with, |_| crate::quick());
        let probe = ask(kind, RAVI, 200);
        let here = decided_with(&with, &probe, &policy["version"]).await;
        let there = decided_with(&anew, &probe, &policy["version"]).await;
        assert_eq!(judged(&here, "score"), judged(&there, "score"));

        // Nor is what is still open learned from later.
        let late = with.post(&format!("{}/outcome", path(&open)), json!({"reward": 1})).await;
        late.expect_problem(409, "decision_closed");
        let again = ConsentRevoked { consent_id: Uuid::from_u128(3), ..revoked };
        with.deliver_twice(&with.event(&again)).await;
        assert_eq!(
            crate::policy(&with, kind).await["version"],
            policy["version"],
            "there is nothing left of them"
        );
    }
}

/// The same decisions and rewards with and without somebody, whoever decides being the baseline alone.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_was_never_met() {
    for form in ["shared", "per_action"] {
        let kind = json!({"kind": "alone", "says": "x", "actions": ["call"], "model": form,
                          "settings": {"learning_purpose": "profiling"}});
        let [with, without] = [app().await, app().await];
        for (app, met_both) in [(&with, true), (&without, false)] {
            app.post("/rl/policies", kind.clone()).await.expect(201);
            for (lead, budget, worth) in
                [(RAVI, 100, 0.9), (ASHA, 90_000, 0.1), (RAVI, 7_000, 0.3), (ASHA, 2, 0.0)]
            {
                if lead == RAVI || met_both {
                    let new = json!({"query": "How?", "kind": "alone", "reference": lead, "context": {"budget": budget}});
                    let before = policy(app, "alone").await["observations"].as_i64().unwrap();
                    let made = app.post("/rl/decisions", new).await.expect(201);
                    reward(app, &made, worth).await;
                    learned(app, "alone", before + 1).await;
                }
            }
        }
        assert_ne!(hash(&with, "alone").await, hash(&without, "alone").await);
        let revoked = ConsentRevoked {
            person: ASHA.to_owned(),
            purpose: "profiling".to_owned(),
            ..ConsentRevoked::sample()
        };
        with.deliver_twice(&with.event(&revoked)).await;
        assert_eq!(hash(&with, "alone").await, hash(&without, "alone").await, "{form}: the same bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_to_something_else_is_something_else() {
    let app = app().await;
    told(&app, "lead_follow_up", ASHA, 10, 1.0).await;
    let revoked = ConsentRevoked {
        person: ASHA.to_owned(),
        purpose: "newsletter".to_owned(),
        ..ConsentRevoked::sample()
    };
    app.deliver_twice(&app.event(&revoked)).await;
    assert_eq!(policy(&app, "lead_follow_up").await["observations"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_leaves_nothing() {
    let app = app().await;
    let mut new = ask("lead_follow_up", ASHA, 1_234_567);
    new["query"] = json!("How to reach Zarathustra?");
    new["context"]["village"] = json!("Hohenneuffen");
    new["candidates"] = json!([{"action": "call", "features": {"number": "98765-43210"}}]);
    let made = app.post("/rl/decisions", new).await.expect(201);
    let outcome = json!({"reward": 0.5, "comment": "Spoke with Zarathustra"});
    app.post(&format!("{}/outcome", path(&made)), outcome).await.expect(200);
    learned(&app, "lead_follow_up", 1).await;
    let request = ErasureRequested { person: ASHA.to_owned(), ..ErasureRequested::sample() };
    let told = app.erase(&request, &["Zarathustra", "Hohenneuffen", "98765-43210"]).await;
    let removed: Vec<_> = told.removed.iter().map(|removed| (removed.what.as_str(), removed.count)).collect();
    assert!(removed.contains(&("examples", 1)), "{told:?}");
    assert_eq!(policy(&app, "lead_follow_up").await["observations"], 0);
    let after = app.get(&path(&made)).await.expect(200);
    assert_eq!(
        (&after["reward"], &after["context"], &after["subject"]),
        (&json!(0.5), &json!({}), &json!(null))
    );

    let asked = app.post("/rl/decisions", ask("lead_follow_up", ASHA, 1)).await;
    asked.expect_problem(409, "person_erased");
    let late = LeadCreated { lead_id: ASHA[5..].parse().unwrap(), ..LeadCreated::sample() };
    app.deliver_twice(&app.event(&late)).await;
    let about = app.get(&format!("/rl/decisions?reference={ASHA}")).await.expect(200);
    assert_eq!(about["total"], 0, "late news of them makes nothing");
}
