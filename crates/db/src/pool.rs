use std::time::{Duration, Instant};

use bhiv_settings::Database;
use deadpool::Runtime;
use deadpool::managed::{Hook, HookError, QueueMode};
use diesel_async::pooled_connection::deadpool as deadpool_pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;

use crate::metrics::Metrics;
use crate::{Conn, Error};

/// A connection that nobody has used for so long is made anew: what is between us and PostgreSQL may have forgotten it
/// without a word, as network address translation does after four minutes and more.
const IDLE: Duration = Duration::from_mins(3);

/// A connection on loan from the pool.
pub type PooledConnection = deadpool_pool::Object<Conn>;

/// The connections of one process. Cloning it shares it.
#[derive(Clone)]
pub struct Pool {
    connections: deadpool_pool::Pool<Conn>,
    metrics: Metrics,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool {:?}", self.connections.status())
    }
}

impl Pool {
    /// Makes the pool; it connects when it is first asked.
    ///
    /// Call it on the main runtime: the tasks that drive the connections live there, whichever actix worker
    /// asks for a connection, so that a busy or ended worker holds up no other.
    ///
    /// # Errors
    /// When the settings cannot make a pool.
    pub fn new(settings: &Database) -> Result<Self, Error> {
        Self::open(settings.database_url.expose(), settings.database_connections, "main")
    }

    /// One of `connections`, which metrics call `name`.
    pub(crate) fn open(url: &str, connections: usize, name: &'static str) -> Result<Self, Error> {
        let main = Handle::current();
        let metrics = Metrics::new(name);
        let timed = metrics.clone();
        let mut config = ManagerConfig::default();
        // No query per loan. A closed connection and one inside a transaction are recognised all the same.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| {
            let url = url.to_owned();
            let connecting = main.spawn(async move { Conn::establish(&url).await });
            let stopwatch = timed.stopwatch();
            async move {
                let mut conn = connecting
                    .await
                    .unwrap_or_else(|error| Err(diesel::ConnectionError::BadConnection(error.to_string())))?;
                conn.set_instrumentation(stopwatch);
                Ok(conn)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let connections = deadpool_pool::Pool::builder(manager)
            .max_size(connections)
            // The one that was used last: what PostgreSQL knows of tables and plans is in its memory.
            .queue_mode(QueueMode::Lifo)
            .pre_recycle(Hook::sync_fn(|_, metrics| {
                if metrics.last_used() < IDLE { Ok(()) } else { Err(HookError::message("idle")) }
            }))
            .wait_timeout(Some(Duration::from_secs(2)))
            .create_timeout(Some(Duration::from_secs(5)))
            .recycle_timeout(Some(Duration::from_secs(2)))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        metrics.watch(&connections);
        Ok(Self { connections, metrics })
    }

    /// Borrows a connection; waits at most 2 s for a free one and 5 s for a new one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is none in that time.
    pub async fn get(&self) -> Result<PooledConnection, Error> {
        let started = Instant::now();
        let conn = self.connections.get().await;
        self.metrics.waited(started.elapsed());
        conn.map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Asks the database something.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> Result<(), Error> {
        diesel::sql_query("SELECT 1").execute(&mut self.get().await?).await?;
        Ok(())
    }

    /// Closes every connection; those on loan when they come back.
    pub fn close(&self) {
        self.connections.close();
    }

    /// Connections open and connections on loan.
    pub fn in_use(&self) -> (usize, usize) {
        let status = self.connections.status();
        (status.size, status.size.saturating_sub(status.available))
    }
}
