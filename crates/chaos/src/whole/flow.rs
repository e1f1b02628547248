#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks")]

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Fault, Result};

/// A request that is not answered for so long has failed.
const PATIENCE: Duration = Duration::from_mins(3);

/// One that goes through the steps from lead to feedback, again and again.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    gateways: Vec<String>,
    token: String,
    chance: StdRng,
    /// Whether it repeats what was not answered, with a key; or each request has this one chance.
    insists: bool,
    /// Requests that were sent.
    pub sent: usize,
    /// How long the slowest of them took.
    pub slowest: Duration,
}

/// The requests of one flow, and what came of them.
#[derive(Debug)]
pub(super) struct Flow {
    pub story: Uuid,
    pub lead: String,
    pub order: String,
    pub unified: String,
    pub delivery: String,
    pub requests: Vec<Accepted>,
}

/// A request that was accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    method: Method,
    path: String,
    key: String,
    body: Value,
    story: Uuid,
    status: StatusCode,
    answer: Value,
    pub answered: DateTime<Utc>,
}

impl Client {
    pub(super) fn new(gateways: Vec<String>, token: String, chance: StdRng) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).no_proxy().build()?;
        Ok(Self::with(http, gateways, token, chance, true))
    }

    /// One whose every request has to be answered with success at once. Without a key nobody else repeats it either.
    pub(super) fn strict(http: reqwest::Client, url: String, token: String, chance: StdRng) -> Self {
        Self::with(http, vec![url], token, chance, false)
    }

    fn with(
        http: reqwest::Client,
        gateways: Vec<String>,
        token: String,
        chance: StdRng,
        insists: bool,
    ) -> Self {
        Self { http, gateways, token, chance, insists, sent: 0, slowest: Duration::ZERO }
    }

    /// Reads once.
    pub(super) async fn read(&mut self, path: &str) -> Result<Value> {
        let story = Uuid::from_u128(self.chance.random());
        Ok(self.insist(&Method::GET, path, story, None).await?.1)
    }

    /// Goes through the first seven steps; the eighth, the story in the log, is the checker's.
    pub(super) async fn flow(&mut self) -> Result<Flow> {
        let story = Uuid::from_u128(self.chance.random());
        let mut flow = Flow {
            story,
            lead: String::new(),
            order: String::new(),
            unified: String::new(),
            delivery: String::new(),
            requests: Vec::new(),
        };
        let lead = json!({
            "name": "Asha Verma", "email": format!("asha.{}@example.com", story.simple()),
            "source": "website", "company": "Verma Textiles", "budget": 25000,
            "consent": {"purposes": ["contact", "analytics"]},
        });
        flow.lead = self.change(&mut flow, Method::POST, "/crm/leads", lead).await?;
        let opportunity =
            json!({"lead_id": flow.lead, "value": "25000.00", "currency": "INR", "stage": "proposal"});
        let opportunity = self.change(&mut flow, Method::POST, "/crm/opportunities", opportunity).await?;
        let order = json!({
            "opportunity_id": opportunity, "customer_id": "verma-textiles",
            "items": [{"sku": "RACK-20", "quantity": 2, "price": "12500.00"}], "total": 25000,
        });
        flow.order = self.change(&mut flow, Method::POST, "/logistics/orders", order).await?;
        let order = format!("/logistics/orders/{}", flow.order);

        let question = json!({
            "query": "May this order go out?",
            "context": {"order_id": flow.order, "total": 25000, "items": 2, "customer": "verma-textiles"},
            "candidates": ["approve", "hold", "expedite"],
        });
        self.change(&mut flow, Method::POST, "/bhiv/agent/decide", question).await?;
        let decided = self
            .until(story, &order, |order| {
                ["approved", "on_hold"].iter().any(|status| order["status"] == json!(status))
            })
            .await?;
        if decided["status"] == json!("on_hold") {
            self.change(&mut flow, Method::PUT, &format!("{order}/status"), json!({"status": "approved"}))
                .await?;
        }
        let unified = json!({
            "task_id": format!("order/{}", flow.order), "user_id": "ravi", "event_type": "order_reviewed",
            "consent_flag": true, "rl_score": 0.8, "metadata": {"channel": "phone"},
        });
        flow.unified = self.change(&mut flow, Method::POST, "/event/unified", unified).await?;
        let day = bhiv_clock::Clock::system().now().date_naive() + chrono::Days::new(3);
        let delivery = json!({
            "order_id": flow.order, "delivery_date": day, "address": "12 Mill Road, Surat",
        });
        flow.delivery = self.change(&mut flow, Method::POST, "/logistics/delivery", delivery).await?;
        let feedback = json!({"order_id": flow.order, "rating": 5, "categories": ["speed"]});
        self.change(&mut flow, Method::POST, "/task/feedback", feedback).await?;
        Ok(flow)
    }

    /// Changes something, repeating the request with its key until it is answered; answers the new id.
    async fn change(&mut self, flow: &mut Flow, method: Method, path: &str, body: Value) -> Result<String> {
        let key = format!("{}-{}", flow.story, flow.requests.len());
        let (status, answer, _) = self.insist(&method, path, flow.story, Some((&key, &body))).await?;
        let id = answer["id"].as_str().unwrap_or_default().to_owned();
        let (path, story) = (path.to_owned(), flow.story);
        let answered = bhiv_clock::Clock::system().now();
        flow.requests.push(Accepted { method, path, key, body, story, status, answer, answered });
        Ok(id)
    }

    /// Reads until `is_there`.
    async fn until(&mut self, story: Uuid, path: &str, is_there: impl Fn(&Value) -> bool) -> Result<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let (_, answer, _) = self.insist(&Method::GET, path, story, None).await?;
            if is_there(&answer) {
                return Ok(answer);
            }
            if Instant::now() > until {
                return Err(format!("GET {path} still says after {PATIENCE:?}: {answer}").into());
            }
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(50..200))).await;
        }
    }

    /// Sends what was accepted once more: the answer is the same, and says that it is.
    pub(super) async fn repeat(&mut self, request: &Accepted) -> Result {
        let Accepted { method, path, key, body, story, status, answer, answered: _ } = request;
        let again = self.insist(method, path, *story, Some((key, body))).await?;
        if again != (*status, answer.clone(), true) {
            return Err(format!(
                "{method} {path} was answered with {status} {answer} and then with {again:?}"
            )
            .into());
        }
        Ok(())
    }

    /// Answers status, body, and whether it is an answer that was given before.
    async fn insist(
        &mut self,
        method: &Method,
        path: &str,
        story: Uuid,
        change: Option<(&str, &Value)>,
    ) -> Result<(StatusCode, Value, bool)> {
        let until = Instant::now() + PATIENCE;
        loop {
            let last: Fault = match self.send(method, path, story, change).await {
                Ok((status, answer, replayed)) if status.is_success() => {
                    return Ok((status, answer, replayed));
                }
                Ok((status, answer, _)) => {
                    let is_under_way = answer["code"] == json!("idempotency_in_flight");
                    if self.insists && status.is_client_error() && !is_under_way {
                        return Err(format!("{method} {path} was refused with {status}: {answer}").into());
                    }
                    format!("{status} {answer}").into()
                }
                Err(error) => error.into(),
            };
            if !self.insists {
                return Err(format!("{method} {path}: {last:?}").into());
            }
            if Instant::now() > until {
                return Err(format!("{method} {path} was not answered within {PATIENCE:?}: {last}").into());
            }
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(50..500))).await;
        }
    }

    async fn send(
        &mut self,
        method: &Method,
        path: &str,
        story: Uuid,
        change: Option<(&str, &Value)>,
    ) -> reqwest::Result<(StatusCode, Value, bool)> {
        let gateway = self.gateways[self.chance.random_range(0..self.gateways.len())].as_str();
        let mut request = self
            .http
            .request(method.clone(), format!("{gateway}{path}"))
            .header("x-correlation-id", story.to_string())
            .bearer_auth(&self.token);
        if let Some((key, body)) = change {
            request = request.json(body);
            if self.insists {
                request = request.header("Idempotency-Key", key);
            }
        } else if !self.insists {
            // The module is asked, and not only what the gateway keeps.
            request = request.header("cache-control", "no-cache");
        }
        self.sent += 1;
        let started = Instant::now();
        let answer = request.send().await?;
        let replayed = answer.headers().contains_key("idempotency-replayed");
        let (status, answer) = (answer.status(), answer.json().await?);
        self.slowest = self.slowest.max(started.elapsed());
        Ok((status, answer, replayed))
    }
}
