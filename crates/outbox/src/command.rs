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
use tracing::Instrument as _;

use crate::idempotency::Claim;
use crate::tx::ServiceContext;
use crate::{Idempotency, Origin, Tx, Wake};

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

/// Runs commands, each in a transaction of its own. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Transactor {
    service: ServiceContext,
    main: Handle,
}

impl Transactor {
    /// For the service that owns `producer`'s exchange. Call it on the main runtime: transactions run there.
    pub fn new(pool: Pool, producer: Producer, clock: Clock, wake: Wake) -> Self {
        Self { service: ServiceContext { pool, producer, clock, wake }, main: Handle::current() }
    }

    /// Runs `command` and commits it together with its events, or changes nothing.
    ///
    /// It runs to its end even if the caller goes away, as an HTTP client may.
    ///
    /// # Errors
    /// When the business refuses, or the database fails or stays in conflict.
    pub async fn run<C: Command>(&self, origin: Origin, command: C) -> Result<C::Output, Fault<C::Refusal>> {
        let this = self.clone();
        let work = async move { this.run_here(origin, &command).await };
        self.main.spawn(work.in_current_span()).await.unwrap_or_else(|error| Err(panicked(&error)))
    }

    async fn run_here<C: Command>(
        &self,
        origin: Origin,
        command: &C,
    ) -> Result<C::Output, Fault<C::Refusal>> {
        let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
        let mut tries = 1;
        loop {
            match self.attempt(origin.clone(), command).await {
                Err(fault) if fault.is_worth_a_retry() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(backoff.next_delay()).await;
                }
                result => return result,
            }
        }
    }

    async fn attempt<C: Command>(&self, origin: Origin, command: &C) -> Result<C::Output, Fault<C::Refusal>> {
        let mut tx = Tx::begin(&self.service, origin.clone()).await?;
        let result = match &origin.idempotency {
            None => command.run(&mut tx).await,
            Some(idempotency) => once(&mut tx, idempotency, command).await,
        };
        crash::point("command.done");
        let result = tx.end(result).await;
        crash::point("command.committed");
        result
    }
}

/// Runs the command, unless it was run for the same request before: then its answer is that of then.
async fn once<C: Command>(
    tx: &mut Tx,
    idempotency: &Idempotency,
    command: &C,
) -> Result<C::Output, Fault<C::Refusal>> {
    let principal = tx.actor().to_owned();
    match idempotency.claim(tx.conn(), &principal).await? {
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

fn panicked<R>(error: &tokio::task::JoinError) -> Fault<R> {
    tracing::error!(%error, "a command panicked");
    Fault::Database(Error::Query(diesel::result::Error::RollbackTransaction))
}
