//! crm through its HTTP API and by delivered events.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod accounts;
mod activities;
mod contacts;
mod conversion;
mod duplicates;
mod erasure;
mod imports;
mod input;
mod leads;
mod opportunities;
mod pipeline;
mod reactions;
mod repetition;
mod visibility;

use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use crm::{Config, Crm};
use reqwest::Method;
use serde_json::{Value, json};

bhiv_testing::service_rules!(crm::Crm);

async fn app() -> TestApp {
    TestApp::start::<Crm>(Config::default()).await
}

/// Somebody who sells, and sees what is theirs and their team's.
struct Seller<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Seller<'a> {
    fn new(app: &'a TestApp, user: &str, team: Option<&str>) -> Self {
        let token = match team {
            Some(team) => app.token_in_team(user, Role::Sales, team),
            None => app.token_of(user, Role::Sales),
        };
        Self { app, token }
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.app.request(method, path).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        TestApp::read(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    async fn names(&self, list: &str) -> Vec<String> {
        let page = self.get(list).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["total"], items.len(), "what is not seen is not counted");
        items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// A lead that was created.
async fn lead(app: &TestApp) -> Value {
    let new = json!({"name": "Asha Verma", "email": "asha@example.com"});
    app.post("/crm/leads", new).await.expect(201)
}

/// An opportunity that was created, on a lead of its own.
async fn opportunity(app: &TestApp) -> Value {
    let lead = lead(app).await;
    let new = json!({"lead_id": lead["id"], "value": "25000.50"});
    app.post("/crm/opportunities", new).await.expect(201)
}

/// Of whom all is known that a qualified lead needs, and who is one.
async fn qualified(app: &TestApp, email: &str) -> Value {
    let new = json!({
        "name": "Asha Verma", "email": email, "company": "Verma Textiles", "phone": "+91 98765 43210",
        "budget": 1000, "authority": "decision_maker", "need": "racks", "timeline": "June",
    });
    let lead = app.post("/crm/leads", new).await.expect(201);
    app.patch(&path("leads", &lead), json!({"status": "qualified"})).await.expect(200)
}

/// Where a record is.
fn path(list: &str, record: &Value) -> String {
    format!("/crm/{list}/{}", record["id"].as_str().unwrap())
}
