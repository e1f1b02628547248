use bhiv_clock::Clock;
use bhiv_db::{Error, Pool, PooledConnection, Replica};
use bhiv_events::Producer;
use bhiv_outbox::{Command, Fault, Origin, Transactor, Wake};
use bhiv_web::{Bulk, BulkResult, Problem};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::reading;

/// Commands of one bulk request that run at once.
const AT_ONCE: usize = 16;

/// What handlers work with. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Context {
    pool: Pool,
    producer: Producer,
    transactor: Transactor,
    clock: Clock,
    wake: Wake,
    replica: Option<Replica>,
    leaving: CancellationToken,
    stopping: CancellationToken,
}

impl Context {
    /// Call it on the main runtime.
    pub fn new(pool: Pool, producer: Producer, clock: Clock) -> Self {
        let wake = Wake::default();
        let transactor = Transactor::new(pool.clone(), producer, clock.clone(), wake.clone());
        let (leaving, stopping) = (CancellationToken::new(), CancellationToken::new());
        Self { pool, producer, transactor, clock, wake, replica: None, leaving, stopping }
    }

    /// The same, with standbys for reads that may be a little old.
    #[must_use]
    pub fn with_replica(self, replica: Option<Replica>) -> Self {
        Self { replica, ..self }
    }

    /// A connection for reading: to a standby, where the request allows it and one is near enough.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(&self) -> Result<PooledConnection, Error> {
        if reading::may_be_old()
            && let Some(replica) = &self.replica
            && let Some(conn) = replica.get().await
        {
            reading::is_from_standby();
            return Ok(conn);
        }
        self.pool.get().await
    }

    /// Runs a command in a transaction of its own.
    ///
    /// # Errors
    /// When the business refuses, or the database fails.
    pub async fn run<C: Command>(&self, origin: Origin, command: C) -> Result<C::Output, Fault<C::Refusal>> {
        self.transactor.run(origin, command).await
    }

    /// Runs one command for each record, each in a transaction of its own: what one is refused hinders no other.
    /// Repeated with the same idempotency key, each is done once.
    pub async fn run_each<C>(&self, origin: &Origin, commands: Vec<(Uuid, C)>) -> Bulk
    where
        C: Command,
        C::Refusal: Into<Problem>,
    {
        let runs = commands.into_iter().map(|(id, command)| {
            let idempotency = origin.idempotency.as_ref().map(|whole| whole.part(&id.to_string()));
            let origin = Origin { idempotency, ..origin.clone() };
            async move {
                let result = self.run(origin, command).await;
                BulkResult::new(id, result.map(drop).map_err(Problem::from))
            }
        });
        // Those that run at once share commits; too many at once would take every connection.
        futures_util::stream::iter(runs).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
    }

    /// Time, ids and chance.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whose events it records.
    pub fn producer(&self) -> Producer {
        self.producer
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Cancelled when the service is told to stop. It serves a while longer, until load balancers have taken note.
    pub fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// Cancelled when the service takes no new connections any more: long answers end then.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Tells the relay of new rows.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }
}
