//! What happens to a message between its arrival and its acknowledgement.

mod failing;
mod handling;
mod metrics;
mod parking;
pub(crate) mod rows;

use std::time::Duration;

use bhiv_broker::{Backoff, Delivery, Headers, wire};
use bhiv_clock::Clock;
use bhiv_db::{Error, Pool};
use bhiv_events::Event;
use tokio::time::Instant;
use uuid::Uuid;

use crate::bindings::Binding;
use crate::tx::ServiceContext;
use crate::{Bindings, Failure, Origin, Tx, Wake};
use metrics::Metrics;

/// How long messages are held while the database is away. The broker itself gives up on us at 30 minutes.
const HOLD: Duration = Duration::from_mins(20);

/// Tries of a message whose transaction met another one, before it is parked.
const CONFLICT_TRIES: u32 = 3;

/// What became of a message in one handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Handled now.
    Done,
    /// Handled before; nothing was done.
    Repeated,
    /// Older than what was handled before; nothing was done.
    Stale,
    /// To be tried again: why.
    Parked(String),
    /// Given up: why.
    Dead(String),
}

/// A message could neither be handled nor put aside. It must not be acknowledged.
#[derive(Debug, thiserror::Error)]
#[error("messages stay in their queue: {0}")]
pub(crate) struct Held(Error);

/// Takes messages to their handlers. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Processor {
    service: ServiceContext,
    bindings: Bindings,
    metrics: Metrics,
}

/// A message that is an event, as it came.
#[derive(Debug)]
struct Incoming {
    event: Event,
    raw: Raw,
}

/// What is kept of a message when it cannot be handled.
#[derive(Clone, Debug)]
struct Raw {
    queue: String,
    headers: Headers,
    body: Vec<u8>,
}

/// One message for one handler.
struct Work<'a> {
    incoming: &'a Incoming,
    binding: &'a Binding,
}

impl Work<'_> {
    fn pair(&self) -> (Uuid, &str) {
        (self.incoming.event.id, self.binding.consumer)
    }
}

impl Processor {
    /// For the handlers of `bindings`.
    pub fn new(pool: Pool, bindings: Bindings, clock: Clock, wake: Wake) -> Self {
        let service = ServiceContext { pool, producer: bindings.service, clock, wake };
        Self { service, bindings, metrics: Metrics::new() }
    }

    /// The table of what is heard.
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Delivers one event, as if the broker had, and answers its outcome in each handler. For tests.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn deliver(&self, event: Event) -> Result<Vec<Outcome>, Error> {
        let raw = Raw {
            queue: "test".to_owned(),
            headers: wire::headers(&event),
            body: event.data.to_string().into_bytes(),
        };
        self.process(&[Incoming { event, raw }]).await.map_err(|Held(error)| error)
    }

    /// Deals with the messages of one queue. When it is done, all of them may be acknowledged.
    pub(crate) async fn take(&self, queue: &str, batch: Vec<Delivery>) -> Result<(), Held> {
        let mut incoming = Vec::with_capacity(batch.len());
        for Delivery { event, message_id, headers, body, .. } in batch {
            let raw = Raw { queue: queue.to_owned(), headers, body };
            match event {
                Ok(event) if self.bindings.of(&event).is_empty() => {
                    let error = format!("nothing here handles {}", event.type_);
                    self.bury(event.id, raw, "schema", &error).await?;
                }
                Ok(event) => incoming.push(Incoming { event, raw }),
                Err(malformed) => {
                    let id = Uuid::parse_str(&message_id).unwrap_or_else(|_| self.service.clock.id());
                    self.bury(id, raw, "undecodable", &malformed.to_string()).await?;
                }
            }
        }
        self.process(&incoming).await.map(drop)
    }

    /// All in one transaction if possible; otherwise one by one, to find out whose fault it is.
    async fn process(&self, batch: &[Incoming]) -> Result<Vec<Outcome>, Held> {
        let works: Vec<Work<'_>> = batch
            .iter()
            .flat_map(|incoming| {
                let bindings = self.bindings.of(&incoming.event).into_iter();
                bindings.map(move |binding| Work { incoming, binding })
            })
            .collect();
        if works.len() > 1
            && let Ok(outcomes) = self.held_together(&works).await?
        {
            return Ok(outcomes);
        }
        let mut outcomes = Vec::with_capacity(works.len());
        for work in &works {
            outcomes.push(self.alone(work).await?);
        }
        Ok(outcomes)
    }

    /// One message for one handler, in a transaction of its own.
    async fn alone(&self, work: &Work<'_>) -> Result<Outcome, Held> {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
        let mut tries = 1;
        loop {
            match self.held_together(std::slice::from_ref(work)).await? {
                Ok(outcomes) => return Ok(outcomes.into_iter().next().unwrap_or(Outcome::Repeated)),
                Err(Failure::Database(Error::Conflict(_))) if tries < CONFLICT_TRIES => {
                    tries += 1;
                    tokio::time::sleep(backoff.next_delay()).await;
                }
                Err(failure) => return self.give_up(work, failure).await,
            }
        }
    }

    /// [`Processor::together`], again and again while the database is away.
    async fn held_together(&self, works: &[Work<'_>]) -> Result<Result<Vec<Outcome>, Failure>, Held> {
        let mut hold = Hold::new();
        loop {
            match self.together(works).await {
                Err(Failure::Database(error @ Error::Unavailable(_))) => hold.on(error).await?,
                result => return Ok(result),
            }
        }
    }

    /// A transaction in this service's own name.
    async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(&self.service, self.origin(None)).await
    }

    fn origin(&self, event: Option<&Event>) -> Origin {
        Origin {
            actor: format!("service/{}", self.service.producer.prefix()),
            correlation: event.map(|event| event.correlationid),
            causation: event.map(|event| event.id),
            request_id: None,
        }
    }
}

/// Patience with a database that is away. Messages are neither acknowledged nor given back meanwhile.
struct Hold {
    until: Instant,
    backoff: Backoff,
}

impl Hold {
    fn new() -> Self {
        Self { until: Instant::now() + HOLD, backoff: Backoff::reconnect() }
    }

    /// Waits a little; an error when that has gone on for too long.
    async fn on(&mut self, error: Error) -> Result<(), Held> {
        if Instant::now() >= self.until {
            return Err(Held(error));
        }
        tracing::warn!(%error, "holding messages until the database is back");
        tokio::time::sleep(self.backoff.next_delay()).await;
        Ok(())
    }
}
