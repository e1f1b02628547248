//! Elasticsearch, as far as its bulk API.

use std::time::Duration;

use bhiv_ledger::Row;
use bhiv_settings::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::ecs;

/// It has this long to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where entries are shipped to.
#[derive(Clone, Debug)]
pub struct Elasticsearch {
    client: reqwest::Client,
    url: String,
    api_key: Option<Secret>,
    prefix: String,
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shipped {
    /// It is there; perhaps it was before.
    Taken,
    /// Not now.
    Later,
    /// Never, and why.
    Refused(String),
}

/// Why nothing was shipped.
#[derive(Debug, thiserror::Error)]
pub enum NotShipped {
    /// Not now; perhaps it says when.
    #[error("{reason}")]
    Later {
        /// Why.
        reason: String,
        /// How long to wait at least.
        after: Option<Duration>,
    },
    /// It was too much at once.
    #[error("it was too much at once")]
    TooMuch,
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Value>,
}

impl Elasticsearch {
    /// At `url`; indices begin with `prefix`.
    pub fn new(url: &str, api_key: Option<Secret>, prefix: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let url = format!("{}/_bulk", url.trim_end_matches('/'));
        Ok(Self { client, url, api_key, prefix: prefix.to_owned() })
    }

    /// Ships all of these with one request. An entry has the same id each time, so that one that comes again is there
    /// once.
    pub async fn ship(&self, rows: &[Row]) -> Result<Vec<Shipped>, NotShipped> {
        let mut body = String::new();
        for row in rows {
            let (index, document) = ecs::document(row, &self.prefix);
            body += &json!({"create": {"_index": index, "_id": row.id}}).to_string();
            body += "\n";
            body += &document.to_string();
            body += "\n";
        }
        let mut request = self.client.post(&self.url).header(CONTENT_TYPE, "application/x-ndjson").body(body);
        if let Some(key) = &self.api_key {
            request = request.header(AUTHORIZATION, format!("ApiKey {}", key.expose()));
        }
        let answer = request.send().await.map_err(|error| later(error.to_string()))?;
        let status = answer.status();
        if status.as_u16() == 413 {
            return Err(NotShipped::TooMuch);
        }
        if !status.is_success() {
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let after = after.map(Duration::from_secs);
            return Err(NotShipped::Later { reason: format!("Elasticsearch answers {status}"), after });
        }
        let answer: Answer = answer.json().await.map_err(|error| later(error.to_string()))?;
        if answer.items.len() != rows.len() {
            return Err(later("Elasticsearch does not answer for each entry".to_owned()));
        }
        Ok(answer.items.into_iter().map(|item| outcome(item.create)).collect())
    }
}

fn later(reason: String) -> NotShipped {
    NotShipped::Later { reason, after: None }
}

fn outcome(outcome: Outcome) -> Shipped {
    match outcome.status {
        // 409: it was there before.
        200..=299 | 409 => Shipped::Taken,
        429 | 500.. => Shipped::Later,
        status => {
            let error = outcome.error.unwrap_or_default().to_string();
            Shipped::Refused(format!("{status} {}", error.chars().take(500).collect::<String>()))
        }
    }
}
