use std::time::{Duration, Instant};

use bhiv_settings::Database;
use deadpool::Runtime;
use deadpool::managed::{BuildError, Hook, HookError, QueueMode};
use diesel_async::pooled_connection::deadpool as deadpool_pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;

use crate::lanes::{self, Connections, Lanes};
use crate::metrics::Metrics;
use crate::{Conn, Error};

/// A connection that nobody has used for so long is made anew: what is between us and PostgreSQL may have forgotten it
/// without a word, as network address translation does after four minutes and more.
const IDLE: Duration = Duration::from_mins(3);

/// Waiting for a free connection takes no longer.
const WAIT: Duration = Duration::from_secs(2);

/// A connection on loan from the pool.
pub type PooledConnection = deadpool_pool::Object<Conn>;

/// The connections of one process. Cloning it shares it.
#[derive(Clone)]
pub struct Pool {
    shared: Connections,
    lanes: Lanes,
    metrics: Metrics,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool {:?}", self.shared.status())
    }
}

impl Pool {
    /// Makes the pool; it connects when it is first asked. Each of `workers` of actix gets some connections of its own,
    /// driven by its own thread. All others are driven by the main runtime, where it has to be called, so that a
    /// busy or ended worker holds up no other.
    ///
    /// # Errors
    /// When the settings cannot make a pool.
    pub fn new(settings: &Database, workers: usize) -> Result<Self, Error> {
        Self::open(settings.database_url.expose(), settings.database_connections, workers, "main")
    }

    /// One of `connections`, which metrics call `name`.
    pub(crate) fn open(
        url: &str,
        connections: usize,
        workers: usize,
        name: &'static str,
    ) -> Result<Self, Error> {
        let metrics = Metrics::new(name);
        let each = lanes::each(connections, workers);
        let most = if each == 0 { 0 } else { workers };
        let shared = connect(url, connections - most * each, WAIT, Some(Handle::current()), &metrics)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let (url, timed) = (url.to_owned(), metrics.clone());
        let lanes = Lanes::new(most, Box::new(move || connect(&url, each, lanes::PATIENCE, None, &timed)));
        let pool = Self { shared, lanes, metrics };
        pool.metrics.watch(&pool, connections);
        Ok(pool)
    }

    /// Borrows a connection; waits at most 2 s for a free one and 5 s for a new one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is none in that time.
    pub async fn get(&self) -> Result<PooledConnection, Error> {
        let started = Instant::now();
        let conn = match self.lanes.get().await {
            Some(answer) => answer,
            None => self.shared.get().await,
        };
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
        self.lanes.close();
        self.shared.close();
    }

    /// Connections open and connections on loan.
    pub(crate) fn in_use(&self) -> (usize, usize) {
        let all = std::iter::once(self.shared.clone()).chain(self.lanes.all());
        all.map(|connections| connections.status()).fold((0, 0), |(open, lent), status| {
            (open + status.size, lent + status.size.saturating_sub(status.available))
        })
    }
}

/// Connections of which the tasks that drive them live on `runtime`, or where each is asked for.
fn connect(
    url: &str,
    most: usize,
    wait: Duration,
    runtime: Option<Handle>,
    metrics: &Metrics,
) -> Result<Connections, BuildError> {
    let timed = metrics.clone();
    let mut config = ManagerConfig::default();
    // No query per loan. A closed connection and one inside a transaction are recognised all the same.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let (url, runtime) = (url.to_owned(), runtime.clone().unwrap_or_else(Handle::current));
        let connecting = runtime.spawn(async move { Conn::establish(&url).await });
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
    deadpool_pool::Pool::builder(AsyncDieselConnectionManager::new_with_config(url, config))
        .max_size(most)
        // The one that was used last: what PostgreSQL knows of tables and plans is in its memory.
        .queue_mode(QueueMode::Lifo)
        .pre_recycle(Hook::sync_fn(|_, metrics| {
            if metrics.last_used() < IDLE { Ok(()) } else { Err(HookError::message("idle")) }
        }))
        .wait_timeout(Some(wait))
        .create_timeout(Some(Duration::from_secs(5)))
        .recycle_timeout(Some(Duration::from_secs(2)))
        .runtime(Runtime::Tokio1)
        .build()
}
