use bhiv_clock::Clock;
use bhiv_db::{Error, Pool, PooledConnection};
use bhiv_events::Producer;
use bhiv_outbox::{Command, Fault, Origin, Transactor, Wake};
use tokio_util::sync::CancellationToken;

/// What handlers work with. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Context {
    pool: Pool,
    transactor: Transactor,
    clock: Clock,
    wake: Wake,
    stopping: CancellationToken,
}

impl Context {
    /// Call it on the main runtime.
    pub fn new(pool: Pool, producer: Producer, clock: Clock) -> Self {
        let wake = Wake::default();
        let transactor = Transactor::new(pool.clone(), producer, clock.clone(), wake.clone());
        Self { pool, transactor, clock, wake, stopping: CancellationToken::new() }
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn read(&self) -> Result<PooledConnection, Error> {
        self.pool.get().await
    }

    /// Runs a command in a transaction of its own.
    ///
    /// # Errors
    /// When the business refuses, or the database fails.
    pub async fn run<C: Command>(&self, origin: Origin, command: C) -> Result<C::Output, Fault<C::Refusal>> {
        self.transactor.run(origin, command).await
    }

    /// Time, ids and chance.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Cancelled when the service is told to stop: long answers end then.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Tells the relay of new rows.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }
}
