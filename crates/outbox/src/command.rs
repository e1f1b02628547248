mod sharing;

use std::convert::Infallible;
use std::fmt::Display;
use std::time::Duration;

use bhiv_broker::{Backoff, crash};
use bhiv_clock::Clock;
use bhiv_db::{Error, Pool};
use bhiv_events::Producer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::idempotency::{Claim, Patience};
use crate::tx::ServiceContext;
use crate::{Idempotency, Origin, Tx, Wake};
use sharing::Sharing;

/// How often a transaction that met another one is run before that is an error.
const TRIES: u32 = 4;

/// One action on the system: what it needs is its fields, what it does happens inside one transaction.
pub trait Command: Send + Sync + 'static {
    /// What the caller gets. It can be stored, to answer a repeated request.
    type Output: Serialize + DeserializeOwned + Send + 'static;
    /// Why it can be refused; [`Infallible`] if it cannot.
    type Refusal: Refusal;

    /// Acts. It may be run again from the start when the transaction met another one.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, Fault<Self::Refusal>>> + Send;

    /// Whether it shares its transaction with nobody. For commands that lock several rows which others lock too: they
    /// do it in one order, and what others locked before them in the same transaction would break that order.
    fn is_alone(&self) -> bool {
        false
    }
}

/// Why the business refuses an action: the error of one command.
pub trait Refusal: Display + Send + Sync + 'static {}

impl Refusal for Infallible {}

/// Why a command did nothing.
#[derive(Debug)]
pub enum Fault<R> {
    /// The business refuses.
    Refused(R),
    /// Another request had the same idempotency key.
    KeyReused,
    /// A request with the same idempotency key is under way.
    InFlight,
    /// The database failed.
    Database(Error),
}

impl<R: Refusal> From<R> for Fault<R> {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal)
    }
}

impl<R> From<diesel::result::Error> for Fault<R> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl<R> From<Error> for Fault<R> {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl<R> Fault<R> {
    fn is_worth_a_retry(&self) -> bool {
        matches!(self, Self::Database(Error::Conflict(_)))
    }
}

/// Runs commands, all or nothing each; those that come together share a commit. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Transactor(Sharing);

impl Transactor {
    /// For the service that owns `producer`'s exchange. Call it on the main runtime: transactions run there.
    pub fn new(pool: Pool, producer: Producer, clock: Clock, wake: Wake) -> Self {
        Self(Sharing::new(ServiceContext { pool, producer, clock, wake }, Handle::current()))
    }

    /// Runs `command` and commits it together with its events, or changes nothing.
    ///
    /// It runs to its end even if the caller goes away, as an HTTP client may.
    ///
    /// # Errors
    /// When the business refuses, or the database fails or stays in conflict.
    pub async fn run<C: Command>(&self, origin: Origin, command: C) -> Result<C::Output, Fault<C::Refusal>> {
        self.0.run(origin, command).await.unwrap_or_else(|| {
            tracing::error!("a command panicked");
            Err(Fault::Database(Error::Query(diesel::result::Error::RollbackTransaction)))
        })
    }
}

/// In a transaction of its own, and again when that met another one.
async fn run_alone<C: Command>(
    service: &ServiceContext,
    origin: &Origin,
    command: &C,
) -> Result<C::Output, Fault<C::Refusal>> {
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
    let mut tries = 1;
    loop {
        match attempt(service, origin, command).await {
            Err(fault) if fault.is_worth_a_retry() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(backoff.next_delay()).await;
            }
            result => return result,
        }
    }
}

async fn attempt<C: Command>(
    service: &ServiceContext,
    origin: &Origin,
    command: &C,
) -> Result<C::Output, Fault<C::Refusal>> {
    let mut tx = Tx::begin(service, origin.clone()).await?;
    let result = once(&mut tx, origin.idempotency.as_ref(), Patience::Some, command).await;
    crash::point("command.done");
    let result = tx.end(result).await;
    crash::point("command.committed");
    result
}

/// Runs the command, unless it was run for the same request before: then its answer is that of then.
async fn once<C: Command>(
    tx: &mut Tx,
    idempotency: Option<&Idempotency>,
    patience: Patience,
    command: &C,
) -> Result<C::Output, Fault<C::Refusal>> {
    let Some(idempotency) = idempotency else { return command.run(tx).await };
    let principal = tx.actor().to_owned();
    match idempotency.claim(tx.conn(), &principal, patience).await? {
        Claim::Fresh => {
            let output = command.run(tx).await?;
            let stored = serde_json::to_value(&output).map_err(unstorable)?;
            idempotency.remember(tx.conn(), &principal, stored).await?;
            Ok(output)
        }
        Claim::Answered(stored) => {
            idempotency.replay();
            Ok(serde_json::from_value(stored).map_err(unstorable)?)
        }
        Claim::Reused => Err(Fault::KeyReused),
        Claim::Busy => Err(Fault::InFlight),
    }
}

fn unstorable(error: serde_json::Error) -> Error {
    Error::Query(diesel::result::Error::SerializationError(error.into()))
}
