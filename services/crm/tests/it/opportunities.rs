use bhiv_events::crm::{OpportunityStageChanged, OpportunityWon};
use serde_json::json;

use crate::{app, lead, opportunity};

#[tokio::test(flavor = "multi_thread")]
async fn an_opportunity_belongs_to_its_leads_story() {
    let app = app().await;
    let lead = lead(&app).await;
    let new = json!({"lead_id": lead["id"], "value": 100, "currency": "EUR", "stage": "proposal",
                     "expected_close_date": "2127-03-01"});
    let opportunity = app.post("/crm/opportunities", new).await.expect(201);
    assert_eq!(opportunity["correlation_id"], lead["correlation_id"]);
    assert_eq!(opportunity["probability"], 0.4);
    assert_eq!(opportunity["value"], "100");
    assert_eq!(app.recorded_names().await, ["lead_created", "opportunity_created"]);

    let page = app.get(&format!("/crm/opportunities?lead_id={}", lead["id"].as_str().unwrap())).await;
    assert_eq!(page.expect(200)["items"], json!([opportunity]));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_moves_along_the_pipeline_until_it_is_decided() {
    let app = app().await;
    let opportunity = opportunity(&app).await;
    let stage = format!("/crm/opportunities/{}/stage", opportunity["id"].as_str().unwrap());
    app.put(&stage, json!({"stage": "negotiation"})).await.expect(200);
    let won = app.put(&stage, json!({"stage": "won"})).await.expect(200);
    assert_eq!((&won["probability"], &won["version"]), (&json!(1.0), &json!(3)));
    app.put(&stage, json!({"stage": "lost"})).await.expect_problem(409, "illegal_transition");

    assert_eq!(app.recorded_as::<OpportunityStageChanged>().await.len(), 1);
    let [event] = app.recorded_as::<OpportunityWon>().await.try_into().unwrap();
    assert_eq!(event.value.to_string(), "25000.50");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let app = app().await;
    let lead = lead(&app).await;
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    let refused = app.post("/crm/opportunities", json!({"lead_id": nobody, "value": 1})).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/lead_id");
    let new = json!({"lead_id": lead["id"], "value": 1, "stage": "won"});
    app.post("/crm/opportunities", new).await.expect_problem(422, "closed_stage");
    let new = json!({"lead_id": lead["id"], "value": 1, "currency": "XQZ"});
    let refused = app.post("/crm/opportunities", new).await.expect_problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["pointer"], "/currency");
    assert_eq!(app.recorded_names().await, ["lead_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_fields_can_be_changed() {
    let app = app().await;
    let opportunity = opportunity(&app).await;
    let path = format!("/crm/opportunities/{}", opportunity["id"].as_str().unwrap());
    let changed = app.patch(&path, json!({"value": "7.25", "probability": 0.9})).await.expect(200);
    assert_eq!((&changed["value"], &changed["probability"]), (&json!("7.25"), &json!(0.9)));
    app.patch(&path, json!({"stage": "won"})).await.expect_problem(422, "invalid_input");
    assert_eq!(app.get(&path).await.expect(200), changed);
    assert_eq!(app.audited().await, ["lead.create", "opportunity.create", "opportunity.update"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_in_the_past_and_a_reason_without_a_loss_are_refused() {
    let app = app().await;
    let opportunity = opportunity(&app).await;
    let path = crate::path("opportunities", &opportunity);
    let yesterday = (app.clock.now() - chrono::TimeDelta::days(1)).date_naive();
    let refused = app.patch(&path, json!({"expected_close_date": yesterday})).await;
    let problem = refused.expect_problem(422, "past_date");
    assert_eq!(problem["errors"][0]["pointer"], "/expected_close_date");
    let new = json!({"lead_id": opportunity["lead_id"], "value": 1, "expected_close_date": yesterday});
    app.post("/crm/opportunities", new).await.expect_problem(422, "past_date");
    let stage = format!("{path}/stage");
    let reason = json!({"stage": "proposal", "reason": "too dear"});
    app.put(&stage, reason).await.expect_problem(422, "reason_without_loss");
    let lost = app.put(&stage, json!({"stage": "lost", "reason": "too dear"})).await.expect(200);
    assert_eq!(lost["lost_reason"], "too dear");
    assert_eq!(lost["closed_at"], lost["updated_at"]);
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    let refused = app.patch(&path, json!({"account_id": nobody})).await;
    assert_eq!(refused.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/account_id");
}

/// Who said no comes back: it counts as open again, and why it was lost is in its history.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_can_be_opened_again() {
    let app = app().await;
    let path = crate::path("opportunities", &opportunity(&app).await);
    let stage = format!("{path}/stage");
    app.put(&stage, json!({"stage": "lost", "reason": "too dear"})).await.expect(200);
    app.put(&stage, json!({"stage": "won"})).await.expect_problem(409, "illegal_transition");
    assert_eq!(app.get("/crm/pipeline").await.expect(200)["lost"], 1);
    let open = app.put(&stage, json!({"stage": "negotiation"})).await.expect(200);
    assert_eq!(open["lost_reason"], json!(null));
    assert_eq!((&open["closed_at"], &open["probability"]), (&json!(null), &json!(0.7)));
    assert_eq!(app.get("/crm/pipeline").await.expect(200)["lost"], 0);
    let history = app.get(&format!("{path}/history")).await.expect(200).to_string();
    assert!(history.contains("too dear"), "{history}");
    app.put(&stage, json!({"stage": "won"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn opportunities_are_found_and_sorted() {
    let app = app().await;
    let lead = lead(&app).await;
    for (name, value) in [("Racks for Pune", 300), ("Shelves", 100), ("Racks for Delhi", 200)] {
        let new = json!({"lead_id": lead["id"], "name": name, "value": value});
        app.post("/crm/opportunities", new).await.expect(201);
    }
    let (mut values, mut path) = (Vec::new(), "/crm/opportunities?sort=-value&limit=1".to_owned());
    loop {
        let page = app.get(&path).await.expect(200);
        values.extend(page["items"].as_array().unwrap().iter().map(|it| it["value"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/crm/opportunities?sort=-value&limit=1&cursor={cursor}");
    }
    assert_eq!(values, ["300", "200", "100"]);
    let worth = async |query: &str| {
        let page = app.get(&format!("/crm/opportunities?sort=value&{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().iter().map(|it| it["value"].clone());
        (items.collect::<Vec<_>>(), page["total"].clone())
    };
    assert_eq!(worth("value_from=100&value_until=300").await, (vec![json!("100"), json!("200")], json!(2)));
    assert_eq!(worth("currency=INR&value_from=250.5").await, (vec![json!("300")], json!(1)));
    assert_eq!(worth("currency=EUR").await, (Vec::new(), json!(0)));
    let bad = app.get("/crm/opportunities?currency=rupee&value_from=much").await;
    assert_eq!(bad.expect_problem(422, "invalid_input")["errors"].as_array().unwrap().len(), 2);
    assert_eq!(app.get("/crm/opportunities?q=rack+pun").await.expect(200)["total"], 1);
    let owned = app.get("/crm/opportunities?owner=admin-1").await.expect(200);
    assert_eq!(owned["total"], 3, "whoever works on the lead works on them");
    let ids: Vec<_> = owned["items"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    let bulk = json!({"ids": ids, "change": {"owner": "ravi"}});
    assert_eq!(app.post("/crm/opportunities/bulk", bulk).await.expect(200)["succeeded"], 3);
    assert_eq!(app.get("/crm/opportunities?owner=ravi").await.expect(200)["total"], 3);
}
