use bhiv_auth::Role;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_types::Amount;
use chrono::TimeDelta;
use serde_json::json;

use crate::{app, lead};

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_created_with_its_event_and_its_audit_row() {
    let app = app().await;
    let answer = app
        .post(
            "/crm/leads",
            json!({
                "name": "Asha Verma", "email": "Asha@Example.com", "phone": "+91 98765 43210",
                "source": "website", "company": "Verma Textiles", "budget": 25000.5,
                "consent": {"purposes": ["contact"]}, "need": "racks", "timeline": "June",
            }),
        )
        .await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let created = answer.expect(201);
    assert_eq!(location, format!("/crm/leads/{}", created["id"].as_str().unwrap()));
    assert_eq!(created["status"], "new");
    assert_eq!(created["score"], json!(null));
    assert_eq!(created["email"], "asha@example.com");
    assert_eq!(created["budget"], "25000.5");
    assert_eq!(created["owner"], "admin-1");
    let mut read = app.get(&location).await.expect(200);
    read["duplicates"] = json!([]);
    assert_eq!(read, created);

    let [event] = app.recorded_as::<LeadCreated>().await.try_into().unwrap();
    assert_eq!(json!(event.lead_id), created["id"]);
    assert_eq!(event.consent_purposes, ["contact"]);
    assert_eq!(Amount::try_from(event.budget.unwrap()).map(Amount::get).ok(), event.budget);
    let recorded = app.recorded().await;
    assert!(recorded.iter().all(|event| json!(event.correlationid) == created["correlation_id"]));
    assert!(recorded.iter().all(|event| event.actor == "user/admin-1"));
    assert!(!recorded[0].data.to_string().contains("example.com"), "events carry no addresses");
    assert_eq!(app.audited().await, ["lead.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_name_the_story() {
    let app = app().await;
    let story = "0190aaaa-0000-7000-8000-000000000001";
    let request = app
        .request(reqwest::Method::POST, "/crm/leads")
        .bearer_auth(app.token(Role::Sales))
        .header("x-correlation-id", story)
        .json(&json!({"name": "A", "email": "a@example.com"}));
    assert_eq!(bhiv_testing::TestApp::read(request).await.expect(201)["correlation_id"], story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_tells_which_fields_changed() {
    let app = app().await;
    let lead = lead(&app).await;
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    let changed = app.patch(&path, json!({"status": "contacted", "phone": "12345"})).await.expect(200);
    assert_eq!((&changed["status"], &changed["phone"]), (&json!("contacted"), &json!("12345")));
    assert_eq!(changed["version"], 2);
    let [event] = app.recorded_as::<LeadUpdated>().await.try_into().unwrap();
    assert_eq!(event.changed, ["phone", "status"]);

    let cleared = app.patch(&path, json!({"phone": null})).await.expect(200);
    assert_eq!((&cleared["status"], &cleared["phone"]), (&json!("contacted"), &json!(null)));

    let recorded = app.recorded().await.len();
    app.patch(&path, json!({"status": "contacted"})).await.expect(200);
    app.patch(&path, json!({})).await.expect(200);
    assert_eq!(app.recorded().await.len(), recorded, "what changes nothing tells nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_follows_its_table() {
    let app = app().await;
    let lead = lead(&app).await;
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    let refused = app.patch(&path, json!({"status": "converted", "name": "B"})).await;
    let problem = refused.expect_problem(409, "illegal_transition");
    assert_eq!(problem["allowed"], json!(["contacted", "qualified", "lost"]));
    assert_eq!(
        app.get(&path).await.expect(200)["version"],
        lead["version"],
        "a refused change changes nothing"
    );
    assert_eq!(app.recorded_names().await, ["lead_created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_paged() {
    let app = app().await;
    for (name, source) in [("Asha", "website"), ("Ravi", "fair"), ("Asha B", "fair"), ("50%_off", "fair")] {
        let new = json!({"name": name, "email": "x@example.com", "source": source});
        app.post("/crm/leads", new).await.expect(201);
    }
    let names = async |query: &str| {
        let page = app.get(&format!("/crm/leads?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<_> = items.iter().map(|lead| lead["name"].as_str().unwrap().to_owned()).collect();
        (names.join(","), page["total"].as_i64().unwrap(), page["next_cursor"].clone())
    };
    assert_eq!(names("source=fair").await.0, "50%_off,Asha B,Ravi");
    assert_eq!(names("q=asha").await.0, "Asha B,Asha");
    assert_eq!(names("q=b+ASH").await.0, "Asha B", "each word begins one of the lead's");
    assert_eq!(names("q=50").await.0, "50%_off");
    assert_eq!(names("q=sha").await.0, "", "within a word nothing is found");
    assert_eq!(names("q=%25_").await.0, "", "nor without a word");
    assert_eq!(names("status=lost").await, (String::new(), 0, json!(null)));

    let (first, total, cursor) = names("limit=3").await;
    assert_eq!((first.as_str(), total), ("50%_off,Asha B,Ravi", 4));
    let (rest, total, cursor) = names(&format!("limit=3&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((rest.as_str(), total, cursor), ("Asha", 4, json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_sorted_and_paged_in_any_order() {
    let app = app().await;
    for name in ["Ravi", "Asha", "Meera", "Asha", "Bala"] {
        app.post("/crm/leads", json!({"name": name, "email": "x@example.com"})).await.expect(201);
    }
    for (sort, expected) in [
        ("name", "Asha,Asha,Bala,Meera,Ravi"),
        ("-name", "Ravi,Meera,Bala,Asha,Asha"),
        ("created_at", "Ravi,Asha,Meera,Asha,Bala"),
        ("-created_at", "Bala,Asha,Meera,Asha,Ravi"),
    ] {
        let (mut names, mut path) = (Vec::new(), format!("/crm/leads?sort={sort}&limit=2"));
        loop {
            let page = app.get(&path).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            names.extend(items.iter().map(|lead| lead["name"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/crm/leads?sort={sort}&limit=2&cursor={cursor}");
        }
        assert_eq!(names.join(","), expected, "{sort}");
    }
    let by_name = app.get("/crm/leads?sort=name&limit=1").await.expect(200);
    let cursor = by_name["next_cursor"].as_str().unwrap();
    let refused = app.get(&format!("/crm/leads?sort=created_at&cursor={cursor}")).await;
    assert_eq!(refused.expect_problem(422, "invalid_input")["errors"][0]["pointer"], "?cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_can_be_read_as_it_was_with_who_changed_what() {
    let app = app().await;
    let lead = lead(&app).await;
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    let at = |minutes| (app.clock.now() + TimeDelta::minutes(minutes)).to_rfc3339().replace('+', "%2B");
    let (before, created) = (at(-1), at(0));
    app.clock.advance(TimeDelta::minutes(10));
    app.patch(&path, json!({"status": "contacted", "phone": "12345"})).await.expect(200);

    app.get(&format!("{path}?as_of={before}")).await.expect_problem(404, "not_found");
    let then = app.get(&format!("{path}?as_of={created}")).await.expect(200);
    assert_eq!((&then["phone"], &then["status"], &then["version"]), (&json!(null), &json!("new"), &json!(1)));
    assert_eq!(then["id"], lead["id"]);
    let now = app.get(&format!("{path}?as_of={}", at(0))).await.expect(200);
    assert_eq!(now["phone"], "12345");

    let history = app.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["total"], 2);
    let (change, creation) = (&history["items"][0], &history["items"][1]);
    assert_eq!((&change["action"], &change["actor"]), (&json!("lead.update"), &json!("user/admin-1")));
    assert_eq!(change["changes"]["phone"], json!({"before": null, "after": "12345"}));
    assert_eq!(change["changes"].as_object().unwrap().len(), 2);
    assert_eq!(creation["version"], 1);
    assert_eq!(creation["changes"]["name"]["after"], "Asha Verma");
    let first = app.get(&format!("{path}/history?limit=1")).await.expect(200);
    let next = format!("{path}/history?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(app.get(&next).await.expect(200)["items"][0]["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_leads_are_changed_each_by_itself() {
    let app = app().await;
    let (one, two) = (lead(&app).await, lead(&app).await);
    let path = format!("/crm/leads/{}", two["id"].as_str().unwrap());
    app.patch(&path, json!({"status": "lost"})).await.expect(200);
    let nobody = "0190aaaa-0000-7000-8000-000000000001";
    let request = json!({"ids": [one["id"], two["id"], nobody], "change": {"status": "contacted"}});
    let answer = app.post("/crm/leads/bulk", request.clone()).await.expect(200);
    let statuses: Vec<_> = answer["results"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, [200, 409, 404]);
    assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(1), &json!(2)));
    assert_eq!(answer["results"][1]["problem"]["allowed"], json!(["new"]));

    let twice = json!({"ids": [one["id"], one["id"]], "change": {"status": "qualified"}});
    app.post("/crm/leads/bulk", twice).await.expect_problem(422, "invalid_input");
    app.post("/crm/leads/bulk", json!({"ids": [], "change": {}})).await.expect_problem(422, "invalid_input");

    let with_key = async || {
        let request = json!({"ids": [one["id"]], "change": {"source": "fair"}});
        let request = app
            .request(reqwest::Method::POST, "/crm/leads/bulk")
            .bearer_auth(app.token(Role::Manager))
            .header("idempotency-key", "once")
            .json(&request);
        bhiv_testing::TestApp::read(request).await.expect(200)
    };
    assert_eq!(with_key().await, with_key().await);
    let path = format!("/crm/leads/{}", one["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200)["version"], 3, "created, contacted, changed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qualified_lead_has_budget_authority_need_and_timeline() {
    let app = app().await;
    let lead = lead(&app).await;
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    app.patch(&path, json!({"budget": 5, "need": "racks"})).await.expect(200);
    let problem = app.patch(&path, json!({"status": "qualified"})).await.expect_problem(409, "not_qualified");
    assert_eq!(problem["missing"], json!(["authority", "timeline"]));
    let rest = json!({"status": "qualified", "authority": "influencer", "timeline": "June"});
    assert_eq!(app.patch(&path, rest).await.expect(200)["status"], "qualified");
    let by_hand = app.patch(&path, json!({"status": "converted"})).await;
    assert_eq!(by_hand.expect_problem(409, "converted_by_conversion")["use"], "POST /crm/leads/{id}/convert");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_left_out_until_it_is_asked_for() {
    let app = app().await;
    let lead = lead(&app).await;
    let path = format!("/crm/leads/{}", lead["id"].as_str().unwrap());
    let archived = app.patch(&path, json!({"archived": true})).await.expect(200);
    assert!(archived["archived_at"].is_string());
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 0);
    assert_eq!(app.get("/crm/leads?archived=true").await.expect(200)["items"], json!([archived]));
    app.patch(&path, json!({"archived": false})).await.expect(200);
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 1);
}
