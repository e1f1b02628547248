//! Putting aside what cannot be handled: parked for later, or a dead letter.

use std::time::Duration;

use bhiv_broker::{Backoff, crash};
use bhiv_db::Error;
use uuid::Uuid;

use super::rows::{self, NewParked};
use super::{Held, Hold, Incoming, Outcome, Processor, Raw, Work};
use crate::{Failure, Tx};

/// Header that counts how often an operator put a message back.
pub(super) const ATTEMPT: &str = "bhiv-attempt";

/// Class of what waits for earlier changes of its subject.
pub(super) const EARLY: &str = "early";

/// Why a message is put aside, as its row and its headers say it.
pub(super) struct Reason {
    pub(super) class: &'static str,
    pub(super) error: String,
    /// Whether trying again is of no use.
    pub(super) is_final: bool,
}

impl From<Failure> for Reason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Never(error) => Self { class: "rejected", error, is_final: true },
            Failure::Panicked(error) => Self { class: "panic", error, is_final: false },
            Failure::Later(error) => Self { class: "later", error, is_final: false },
            Failure::Database(error) => Self { class: "database", error: chain(&error), is_final: false },
        }
    }
}

impl Work<'_> {
    /// The row that it is parked as, after its first failure.
    pub(super) fn parked<'w>(&'w self, error_class: &'w str, error: &'w str) -> NewParked<'w> {
        let (message_id, consumer) = self.pair();
        let Incoming { event, raw } = self.incoming;
        NewParked {
            consumer,
            message_id,
            subject: &event.subject,
            sequence: event.sequence,
            headers: &raw.headers,
            payload: &raw.body,
            queue: &raw.queue,
            error_class,
            error,
            delay: retry_delay(1),
        }
    }
}

impl Processor {
    /// Parks the message, or makes it a dead letter if it can never be handled.
    pub(super) async fn give_up(&self, work: &Work<'_>, failure: Failure) -> Result<Outcome, Held> {
        let (id, consumer) = work.pair();
        let reason = Reason::from(failure);
        if reason.is_final {
            self.bury(id, work.incoming.raw.clone(), reason.class, &reason.error).await?;
            return Ok(Outcome::Dead(reason.error));
        }
        tracing::warn!(consumer, message.id = %id, reason.class, reason.error, "the message is parked");
        let parked = work.parked(reason.class, &reason.error);
        let mut hold = Hold::new();
        while let Err(error) = self.park(&parked).await {
            hold.on(error).await?;
        }
        let outcome = Outcome::Parked(reason.error);
        crash::point("park.committed");
        self.metrics.outcome(consumer, &outcome);
        Ok(outcome)
    }

    /// Makes a message a dead letter, once, however often it is delivered until that is committed.
    pub(super) async fn bury(
        &self,
        id: Uuid,
        raw: Raw,
        class: &'static str,
        error: &str,
    ) -> Result<(), Held> {
        let mut hold = Hold::new();
        while let Err(error) = self.bury_now(id, &raw, class, error).await {
            hold.on(error).await?;
        }
        Ok(())
    }

    async fn bury_now(&self, id: Uuid, raw: &Raw, class: &'static str, error: &str) -> Result<(), Error> {
        let once = format!("dead:{}:{}", raw.queue, raw.attempt());
        let mut tx = self.begin().await?;
        let fresh = rows::claim(tx.conn(), &[(id, &once)]).await?;
        if !fresh.is_empty() {
            self.dead_letter(&mut tx, id, raw, class, error, 1);
        }
        tx.end(Ok(())).await
    }

    /// Its inbox row goes in as well: delivered again, it is not handled beside its parked copy.
    async fn park(&self, parked: &NewParked<'_>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let fresh = rows::claim(tx.conn(), &[(parked.message_id, parked.consumer)]).await?;
        if !fresh.is_empty() {
            rows::park(tx.conn(), parked).await?;
        }
        tx.end(Ok(())).await
    }

    /// Records the dead letter: the original message, and what was wrong with it in headers.
    pub(super) fn dead_letter(
        &self,
        tx: &mut Tx,
        id: Uuid,
        raw: &Raw,
        class: &'static str,
        error: &str,
        attempts: i32,
    ) {
        tracing::error!(queue = raw.queue, message.id = %id, class, error, "the message is a dead letter");
        self.metrics.dead_letter(class);
        let mut headers = raw.headers.clone();
        headers.retain(|name, _| !name.starts_with("x-"));
        headers.insert("bhiv-error-class".to_owned(), class.to_owned());
        headers.insert("bhiv-error".to_owned(), error.chars().take(1_000).collect());
        headers.insert("bhiv-attempts".to_owned(), attempts.to_string());
        headers.insert("bhiv-queue".to_owned(), raw.queue.clone());
        let key = format!("{}.{class}", self.service.producer.prefix());
        tx.dead_letter(id, key, &headers, raw.body.clone());
    }
}

/// 5 s, doubled with each attempt, at most 10 minutes, with full jitter.
pub(super) fn retry_delay(attempts: i32) -> Duration {
    let mut backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(10));
    for _ in 1..attempts {
        backoff.next_delay();
    }
    backoff.next_delay()
}

pub(super) fn into_error(failure: Failure) -> Error {
    match failure {
        Failure::Database(error) => error,
        Failure::Later(reason) | Failure::Never(reason) | Failure::Panicked(reason) => {
            Error::Unavailable(reason)
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
