//! What happens to a message between its arrival and its acknowledgement.

mod failing;
mod handling;
mod metrics;
mod parking;
pub(crate) mod rows;

use std::time::Duration;

use bhiv_broker::wire::{self, Malformed};
use bhiv_broker::{Backoff, Delivery, Headers};
use bhiv_clock::Clock;
use bhiv_db::{Error, Pool};
use bhiv_events::Event;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use crate::bindings::Binding;
use crate::tx::ServiceContext;
use crate::{Bindings, Failure, Origin, Tx, Wake};
use failing::ATTEMPT;
use metrics::Metrics;
use rows::Change;

/// How long messages are held while the database is away. The broker itself gives up on us at 30 minutes.
const HOLD: Duration = Duration::from_mins(20);

/// Whether an older message was handled is not known for sure: the inbox forgets after 30 days, and clocks may
/// disagree by one.
const REMEMBERED: TimeDelta = TimeDelta::days(29);

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
    /// Parked until earlier changes of its subject are handled: what is missing.
    Early(String),
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

impl Raw {
    /// How often it was published: 1, and 1 more each time that an operator put it back.
    fn attempt(&self) -> u32 {
        self.headers.get(ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// Whether an operator wants it to be handled, whatever stands against it.
    fn was_put_back(&self) -> bool {
        self.attempt() > 1
    }
}

/// How long ago the id was made; `None` if it does not say.
fn age(id: Uuid, now: DateTime<Utc>) -> Option<TimeDelta> {
    let (seconds, nanoseconds) = id.get_timestamp().filter(|_| id.get_version_num() == 7)?.to_unix();
    let made = DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)?;
    Some(now - made)
}

/// One message for one handler.
#[derive(Clone, Copy)]
struct Work<'a> {
    incoming: &'a Incoming,
    binding: &'a Binding,
}

impl Work<'_> {
    fn pair(&self) -> (Uuid, &str) {
        (self.incoming.event.id, self.binding.consumer)
    }

    fn change(&self) -> Change<'_> {
        let Event { source, subject, sequence, .. } = &self.incoming.event;
        Change { consumer: self.binding.consumer, source, subject, sequence: *sequence }
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

    /// Deals with the messages of one queue, and answers what became of them in each handler. When it is done,
    /// all of them may be acknowledged.
    pub(crate) async fn take(&self, queue: &str, batch: Vec<Delivery>) -> Result<Vec<Outcome>, Held> {
        let mut incoming = Vec::with_capacity(batch.len());
        for Delivery { event, message_id, headers, body, .. } in batch {
            let raw = Raw { queue: queue.to_owned(), headers, body };
            let id = Uuid::parse_str(&message_id).unwrap_or_else(|_| self.service.clock.id());
            match self.admit(event, &raw) {
                Ok(event) => incoming.push(Incoming { event, raw }),
                Err((class, error)) => self.bury(id, raw, class, &error).await?,
            }
        }
        self.process(&incoming).await
    }

    /// The event, if it can be handled here at all; otherwise the class of the dead letter and why.
    fn admit(&self, event: Result<Event, Malformed>, raw: &Raw) -> Result<Event, (&'static str, String)> {
        let event = event.map_err(|malformed| ("undecodable", malformed.to_string()))?;
        if self.bindings.of(&event, &raw.queue).is_empty() {
            return Err(("schema", format!("nothing here handles {}", event.type_)));
        }
        let Some(age) = age(event.id, self.service.clock.now()) else {
            return Err(("undecodable", format!("the id {} is no UUIDv7", event.id)));
        };
        if age > REMEMBERED && !raw.was_put_back() {
            return Err(("too-old", format!("it is {} days old: it may have been handled", age.num_days())));
        }
        Ok(event)
    }

    /// All in one transaction if possible; otherwise one by one, to find out whose fault it is.
    async fn process(&self, batch: &[Incoming]) -> Result<Vec<Outcome>, Held> {
        let mut works: Vec<Work<'_>> = batch
            .iter()
            .flat_map(|incoming| {
                let bindings = self.bindings.of(&incoming.event, &incoming.raw.queue).into_iter();
                bindings.map(move |binding| Work { incoming, binding })
            })
            .collect();
        works.sort_by_key(|work| work.binding.is_last);
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
            idempotency: None,
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
