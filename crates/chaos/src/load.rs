//! Clients of the source: each request is repeated with its key until it is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::lab::Act;
use crate::{Fault, Result};

/// A request that is not answered for so long has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// What clients do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients at once.
    pub writers: usize,
    /// Requests of all of them together.
    pub requests: usize,
    /// How many subjects there are.
    pub subjects: i32,
    /// Part of the requests that change a second subject too, 0 to 1.
    pub pairs: f64,
    /// Requests whose number this divides act so; the others are plain.
    pub every: Option<(usize, Act)>,
    /// Wait between two requests of a client.
    pub pause: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            writers: 8,
            requests: 400,
            subjects: 20,
            pairs: 0.0,
            every: None,
            pause: Duration::from_millis(5),
        }
    }
}

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    tasks: JoinSet<Result<HashMap<String, Accepted>>>,
    accepted: watch::Receiver<usize>,
    enough: CancellationToken,
}

/// A request that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The change that it was answered with.
    pub change_id: Uuid,
    /// Changes that it asked for: 1, or 2 for a pair.
    pub changes: usize,
}

impl Load {
    /// Starts the clients, which take turns on `urls`.
    pub fn start(plan: &Plan, urls: Vec<String>, seed: u64) -> Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(15)).no_proxy().build()?;
        let (count, accepted) = watch::channel(0);
        let count = Arc::new(count);
        let enough = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for writer in 0..plan.writers {
            let client = Writer {
                http: http.clone(),
                urls: urls.clone(),
                plan: plan.clone(),
                number: writer,
                chance: StdRng::seed_from_u64(seed.wrapping_add(writer as u64)),
                count: Arc::clone(&count),
                enough: enough.clone(),
            };
            tasks.spawn(client.work());
        }
        Ok(Self { tasks, accepted, enough })
    }

    /// Waits until so many requests were accepted, or all are.
    pub async fn reached(&mut self, requests: usize) {
        // Closed: all clients are done.
        let _ = self.accepted.wait_for(|accepted| *accepted >= requests).await;
    }

    /// Requests accepted so far.
    pub fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// No further requests; those that are under way are still repeated until they are accepted.
    pub fn enough(&self) {
        self.enough.cancel();
    }

    /// Waits until every request was accepted; answers them by key.
    pub async fn finish(mut self) -> Result<HashMap<String, Accepted>> {
        let mut all = HashMap::new();
        while let Some(done) = self.tasks.join_next().await {
            all.extend(done??);
        }
        Ok(all)
    }
}

struct Writer {
    http: Client,
    urls: Vec<String>,
    plan: Plan,
    number: usize,
    chance: StdRng,
    count: Arc<watch::Sender<usize>>,
    enough: CancellationToken,
}

impl Writer {
    async fn work(mut self) -> Result<HashMap<String, Accepted>> {
        let mut accepted = HashMap::new();
        let numbers = (self.number..self.plan.requests).step_by(self.plan.writers.max(1));
        for number in numbers {
            if self.enough.is_cancelled() {
                break;
            }
            let (key, body, changes) = self.request(number);
            let first = self.insist(&key, &body).await?;
            if self.chance.random::<f64>() < 0.05 {
                let again = self.insist(&key, &body).await?;
                if again != first {
                    return Err(format!("{key} was answered with {first} and then with {again}").into());
                }
            }
            let change_id = first.get("change_id").and_then(Value::as_str).ok_or("no change_id")?.parse()?;
            accepted.insert(key, Accepted { change_id, changes });
            self.count.send_modify(|count| *count += 1);
            tokio::time::sleep(self.plan.pause).await;
        }
        Ok(accepted)
    }

    fn request(&mut self, number: usize) -> (String, Value, usize) {
        let key = format!("{number}-{}", self.chance.random::<u64>());
        let subject = self.chance.random_range(1..=self.plan.subjects);
        let mut also = None;
        if self.plan.subjects > 1 && self.chance.random::<f64>() < self.plan.pairs {
            // Any other one, before or after: so that requests lock in opposite orders.
            let other = self.chance.random_range(1..self.plan.subjects);
            also = Some(if other >= subject { other + 1 } else { other });
        }
        let act = self
            .plan
            .every
            .filter(|(every, _)| number.is_multiple_of(*every))
            .map_or(Act::Plain, |(_, act)| act);
        let changes = 1 + usize::from(also.is_some());
        (key.clone(), json!({"key": key, "number": subject, "also": also, "act": act}), changes)
    }

    /// Repeats a request until it is answered: that is what its key is for.
    async fn insist(&mut self, key: &str, body: &Value) -> Result<Value> {
        let until = Instant::now() + PATIENCE;
        let mut last: Fault;
        loop {
            let url = self.urls.get(self.chance.random_range(0..self.urls.len())).ok_or("no source")?;
            let request =
                self.http.post(format!("{url}/lab/changes")).header("Idempotency-Key", key).json(body);
            match request.send().await {
                Ok(answer) if answer.status() == StatusCode::CREATED => match answer.json().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => last = error.into(),
                },
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    let is_refused = status.is_client_error() && status != StatusCode::CONFLICT;
                    if is_refused {
                        return Err(format!("{key} was refused with {status}: {text}").into());
                    }
                    last = format!("{status} {text}").into();
                }
                Err(error) => last = error.into(),
            }
            if Instant::now() > until {
                return Err(format!("{key} was not accepted within {PATIENCE:?}: {last}").into());
            }
            tokio::time::sleep(Duration::from_millis(self.chance.random_range(20..200))).await;
        }
    }
}
