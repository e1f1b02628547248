#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks")]

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client::Client;
use super::report::Report;
use super::watch::{Seen, Watch};
use crate::Outcome;

/// An event that a step has to cause.
struct Wanted<'a> {
    name: &'a str,
    /// Field of its data that is shown.
    show: &'a str,
    /// Field of its data that tells it from others of its kind, and the value.
    field: &'a str,
    value: Value,
}

impl Wanted<'_> {
    fn is(&self, seen: &Seen) -> bool {
        seen.name == self.name && seen.data[self.field] == self.value
    }
}

fn event<'a>(name: &'a str, show: &'a str, field: &'a str, value: impl Into<Value>) -> Wanted<'a> {
    Wanted { name, show, field, value: value.into() }
}

/// Compliance's verdict on an event.
fn verdict(of: &str) -> Wanted<'_> {
    event("compliance_checked", "verdict", "event_type", of)
}

/// One run of the flow.
struct Run<'a> {
    client: &'a Client,
    watch: &'a Watch,
    report: &'a mut Report,
    patience: Duration,
    /// Events that had arrived when the step began, and when that was.
    begin: (usize, Instant),
}

/// Events without which the story is not whole.
const CHAPTERS: [&str; 13] = [
    "lead_created",
    "lead_scored",
    "task_created",
    "compliance_checked",
    "opportunity_created",
    "order_created",
    "decision_made",
    "order_status_changed",
    "unified_received",
    "event_scored",
    "delivery_scheduled",
    "feedback_received",
    "outcome_recorded",
];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The eight steps, in order. It ends at the first one that fails or lacks an effect.
pub async fn run(client: &Client, watch: &Watch, report: &mut Report, patience: Duration) -> Outcome {
    let begin = (0, Instant::now());
    let mut run = Run { client, watch, report, patience, begin };
    let lead = run.create_lead().await?;
    let opportunity = run.open_opportunity(&lead).await?;
    let order = run.place_order(&opportunity).await?;
    run.decide(&order).await?;
    run.report_event(&order).await?;
    run.schedule_delivery(&order).await?;
    run.give_feedback(&order).await?;
    run.read_the_story().await
}

impl Run<'_> {
    async fn create_lead(&mut self) -> Result<String> {
        self.step("A lead comes in");
        let new = json!({
            "name": "Asha Verma", "email": format!("asha.{}@example.com", self.client.story.simple()),
            "phone": "+91 98765 43210", "source": "website", "company": "Verma Textiles",
            "budget": 25000, "need": "warehouse racks", "timeline": "this quarter",
            "consent": {"purposes": ["contact", "analytics"]},
        });
        let lead = id(&self.post("/crm/leads", &new).await?)?;
        self.events(&[
            event("lead_created", "lead_id", "lead_id", lead.as_str()),
            event("task_created", "title", "reference", format!("lead/{lead}")),
            event("lead_scored", "score", "lead_id", lead.as_str()),
            verdict("lead_created"),
        ])
        .await?;
        let score = self.until(&format!("/crm/leads/{lead}"), |lead| !lead["score"].is_null()).await?;
        self.state("crm has the score", &score["score"]);
        let tasks = format!("/task/tasks?reference=lead%2F{lead}");
        let tasks = self.until(&tasks, |page| page["total"] == json!(1)).await?;
        self.state("task has the task", &tasks["items"][0]["status"]);
        self.logged("lead_created").await?;
        Ok(lead)
    }

    async fn open_opportunity(&mut self, lead: &str) -> Result<String> {
        self.step("It becomes an opportunity");
        let new = json!({"lead_id": lead, "value": "25000.00", "currency": "INR", "stage": "proposal"});
        let opportunity = id(&self.post("/crm/opportunities", &new).await?)?;
        self.events(&[
            event("opportunity_created", "value", "opportunity_id", opportunity.as_str()),
            verdict("opportunity_created"),
        ])
        .await?;
        self.logged("opportunity_created").await?;
        Ok(opportunity)
    }

    async fn place_order(&mut self, opportunity: &str) -> Result<String> {
        self.step("An order is placed");
        let new = json!({
            "opportunity_id": opportunity, "customer_id": "verma-textiles",
            "items": [{"sku": "RACK-20", "quantity": 2, "price": "12500.00"}], "total": 25000,
        });
        let order = id(&self.post("/logistics/orders", &new).await?)?;
        self.events(&[event("order_created", "total", "order_id", order.as_str()), verdict("order_created")])
            .await?;
        let activities = format!("/crm/activities?entity=opportunity%2F{opportunity}");
        let activities = self.until(&activities, |page| page["total"] == json!(1)).await?;
        self.state("crm knows the order", &activities["items"][0]["summary"]);
        self.logged("order_created").await?;
        Ok(order)
    }

    async fn decide(&mut self, order: &str) -> Result<()> {
        self.step("The agent decides on it");
        let question = json!({
            "query": "May this order go out?",
            "context": {"order_id": order, "total": 25000, "items": 2, "customer": "verma-textiles"},
            "candidates": ["approve", "hold", "expedite"],
        });
        let answer = self.post("/bhiv/agent/decide", &question).await?;
        let seen = self
            .events(&[
                event("decision_made", "action", "decision_id", answer["decision_id"].clone()),
                event("order_status_changed", "to", "order_id", order),
            ])
            .await?;
        if seen[1].data["to"] == json!("on_hold") {
            // The bandit explores: a person lets the order go.
            self.put(&format!("/logistics/orders/{order}/status"), &json!({"status": "approved"})).await?;
        }
        let approved = |order: &Value| order["status"] == json!("approved");
        let order = self.until(&format!("/logistics/orders/{order}"), approved).await?;
        self.state("logistics has it", &order["status"]);
        self.logged("decision_made").await
    }

    async fn report_event(&mut self, order: &str) -> Result<()> {
        self.step("A unified event is reported");
        let new = json!({
            "task_id": format!("order/{order}"), "user_id": "ravi", "event_type": "order_reviewed",
            "consent_flag": true, "rl_score": 0.8, "metadata": {"channel": "phone"},
        });
        let unified = id(&self.post("/event/unified", &new).await?)?;
        self.events(&[
            event("event_scored", "score", "unified_id", unified.as_str()),
            verdict("unified_received"),
            event("workflow_triggered", "workflow", "event_type", "unified_received"),
        ])
        .await?;
        let complete = |state: &Value| state["complete"] == json!(true);
        let state = self.until(&format!("/event/unified/{unified}"), complete).await?;
        self.state("every outcome is shown", &state["complete"]);
        self.logged("unified_received").await
    }

    async fn schedule_delivery(&mut self, order: &str) -> Result<()> {
        self.step("A delivery is scheduled");
        let day = chrono::Local::now().date_naive() + chrono::Days::new(3);
        let new = json!({
            "order_id": order, "delivery_date": day, "address": "12 Mill Road, Surat",
            "special_instructions": "Ring twice", "location": {"lat": 21.17, "lon": 72.83},
        });
        let delivery = self.post("/logistics/delivery", &new).await?;
        let (delivery_id, tracking) =
            (id(&delivery)?, delivery["tracking_number"].as_str().unwrap_or_default());
        self.events(&[
            event("delivery_scheduled", "tracking_number", "delivery_id", delivery_id.as_str()),
            event("task_created", "title", "reference", format!("delivery/{delivery_id}")),
        ])
        .await?;
        let scheduled = |shown: &Value| shown["status"] == json!("scheduled");
        let shown = self.until(&format!("/logistics/track/{tracking}"), scheduled).await?;
        self.state("the customer can follow it", &shown["status"]);
        self.logged("delivery_scheduled").await
    }

    async fn give_feedback(&mut self, order: &str) -> Result<()> {
        self.step("The customer gives feedback");
        let new =
            json!({"order_id": order, "rating": 5, "comment": "Quick and careful", "categories": ["speed"]});
        let feedback = id(&self.post("/task/feedback", &new).await?)?;
        self.events(&[
            event("feedback_received", "rating", "feedback_id", feedback.as_str()),
            event("outcome_recorded", "reward", "reference", format!("order/{order}")),
            verdict("feedback_received"),
        ])
        .await?;
        let decisions = format!("/rl/decisions?reference=order%2F{order}");
        let learned = |page: &Value| !page["items"][0]["reward"].is_null();
        let decisions = self.until(&decisions, learned).await?;
        self.state("rl has learned", &decisions["items"][0]["reward"]);
        self.logged("feedback_received").await
    }

    async fn read_the_story(&mut self) -> Outcome {
        self.step("The log has the whole story");
        let path = format!("/logs?type=event&limit=200&correlation_id={}", self.client.story);
        self.report.request("GET", &path, None);
        let page = self
            .until(&path, |page| {
                let logs = page["logs"].as_array();
                let has = |name: &&str| {
                    logs.is_some_and(|logs| logs.iter().any(|log| log["event_type"] == json!(name)))
                };
                CHAPTERS.iter().all(has)
            })
            .await?;
        self.state("rows of one story", &page["count"]);
        let audit = format!("/logs?type=audit&limit=1&correlation_id={}", self.client.story);
        let audit = self.until(&audit, |page| page["count"].as_i64() >= Some(7)).await?;
        self.state("audit rows", &audit["count"]);
        Ok(())
    }

    fn step(&mut self, title: &str) {
        self.report.step(title);
        self.begin = (self.watch.count(), Instant::now());
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.change(Method::POST, path, body).await
    }

    async fn put(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.change(Method::PUT, path, body).await
    }

    async fn change(&mut self, method: Method, path: &str, body: &Value) -> Result<Value> {
        self.report.request(method.as_str(), path, Some(body));
        let sent = Instant::now();
        let answer = self.client.send(method.clone(), path, Some(body)).await?;
        self.report.answer(&answer, sent.elapsed());
        if !answer.status.is_success() {
            return Err(
                format!("{method} {path} was answered with {}: {}", answer.status, answer.body).into()
            );
        }
        Ok(answer.body)
    }

    /// Waits for all of these events of this step, and shows them as they arrive, each with a field of its
    /// data. Answers them in the order of `wanted`.
    async fn events(&mut self, wanted: &[Wanted<'_>]) -> Result<Vec<Seen>> {
        let (skip, began) = self.begin;
        let until = Instant::now() + self.patience;
        let mut found: Vec<Option<Seen>> = vec![None; wanted.len()];
        let mut looked_at = skip;
        while found.contains(&None) {
            let Some(seen) = self.watch.next(looked_at, until).await else {
                let missing = wanted.iter().zip(&found).filter(|(_, found)| found.is_none());
                let missing: Vec<_> = missing.map(|(wanted, _)| wanted.name).collect();
                for name in &missing {
                    self.report.missing(name);
                }
                let names = missing.join(", ");
                return Err(format!("within {:?} these events did not arrive: {names}", self.patience).into());
            };
            looked_at += 1;
            let place =
                wanted.iter().zip(&found).position(|(wanted, found)| found.is_none() && wanted.is(&seen));
            if let Some(place) = place {
                let detail = text(&seen.data[wanted[place].show]);
                self.report.effect(&seen.name, &detail, seen.at.saturating_duration_since(began));
                found[place] = Some(seen);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    /// Waits for the log's row of an event of the story.
    async fn logged(&mut self, event_type: &str) -> Result<()> {
        let path = format!("/logs?event_type={event_type}&correlation_id={}", self.client.story);
        let page = self.until(&path, |page| page["count"].as_i64() >= Some(1)).await?;
        self.state("logged", &page["logs"][0]["event_type"]);
        Ok(())
    }

    /// Reads `path` until `is_there`.
    async fn until(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Result<Value> {
        let until = Instant::now() + self.patience;
        loop {
            let answer = self.client.send(Method::GET, path, None).await?;
            if answer.status.is_success() && is_there(&answer.body) {
                return Ok(answer.body);
            }
            if Instant::now() >= until {
                self.report.missing(path);
                let said = format!("{} {}", answer.status, answer.body);
                return Err(format!("GET {path} still says after {:?}: {said}", self.patience).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn state(&mut self, name: &str, detail: &Value) {
        let after = self.begin.1.elapsed();
        self.report.effect(name, &text(detail), after);
    }
}

fn id(body: &Value) -> Result<String> {
    Ok(body["id"].as_str().ok_or_else(|| format!("no id in {body}"))?.to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
