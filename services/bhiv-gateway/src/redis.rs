//! Redis: what replicas of the gateway share. Nothing is lost without it; things only take longer, or are counted
//! by each replica alone.

mod counter;
mod queue;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_web::{Probe, Trouble};
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{self, Client, RedisError, RedisResult};
use deadpool_redis::{Config, Pool, PoolError, Runtime, Timeouts};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::RedisSettings;

pub use queue::Pending;
use queue::Queue;

const PATIENCE: Duration = Duration::from_secs(2);

/// Connections to Redis. Cloning it shares them.
#[derive(Clone)]
pub struct Redis {
    pool: Pool,
    client: Client,
    prefix: String,
    /// A request does not wait longer than this.
    hurry: Duration,
    /// Which one it is, for [`OWN`].
    id: u64,
    /// One connection for whoever has none of their own, while Redis is there.
    shared: Arc<watch::Sender<Option<Shared>>>,
    /// The shared connection has failed.
    failed: Arc<Notify>,
    /// Requests that are to be counted.
    queue: Queue,
}

/// The connection that was made last, and the how manyth it is.
#[derive(Clone)]
struct Shared {
    generation: u64,
    conn: MultiplexedConnection,
}

/// The connection of one worker: what it asks does not cross threads.
struct Own {
    generation: u64,
    conn: Option<MultiplexedConnection>,
}

/// The next [`Redis`] of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Those of this worker, one for each [`Redis`] of the process.
    static OWN: RefCell<HashMap<u64, Own>> = RefCell::default();
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redis {}", self.prefix)
    }
}

/// Why Redis did not do it.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Redis(#[from] RedisError),
}

/// The runtime of this thread, if it is a worker: what begins there ends there.
fn worker() -> Option<Handle> {
    Handle::try_current().ok().filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
}

impl Redis {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn new(settings: &RedisSettings) -> Result<Self, String> {
        let RedisSettings { redis_url: url, redis_prefix: prefix, redis_patience_ms: hurry } = settings;
        let malformed = |error: &dyn std::fmt::Display| format!("REDIS_URL: {error}");
        let client = Client::open(url.expose()).map_err(|error| malformed(&error))?;
        let pool = Config::from_url(url.expose())
            .builder()
            .map_err(|error| malformed(&error))?
            .max_size(8)
            .timeouts(Timeouts { wait: Some(PATIENCE), create: Some(PATIENCE), recycle: Some(PATIENCE) })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| malformed(&error))?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (shared, failed) = (Arc::new(watch::Sender::new(None)), Arc::default());
        let hurry = Duration::from_millis(*hurry);
        let (prefix, queue) = (prefix.clone(), Queue::default());
        Ok(Self { pool, client, prefix, hurry, id, shared, failed, queue })
    }

    /// Whether it answers.
    pub fn probe(&self) -> Probe {
        let redis = self.clone();
        Arc::new(move || {
            let redis = redis.clone();
            async move {
                let ping = async {
                    let mut conn = redis.pool.get().await?;
                    redis::cmd("PING").query_async::<()>(&mut conn).await?;
                    Ok::<_, Error>(())
                };
                match tokio::time::timeout(PATIENCE, ping).await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(Trouble::degraded(error.to_string())),
                    Err(_) => Err(Trouble::degraded(format!("no answer within {PATIENCE:?}"))),
                }
            }
            .boxed()
        })
    }

    /// A key or channel of this deployment.
    pub fn key(&self, name: impl Display) -> String {
        format!("{}:{name}", self.prefix)
    }

    /// Does `work` on the worker's connection; `None` when Redis is away or too slow for a request
    /// to wait for it.
    pub async fn ask<T>(
        &self,
        what: &str,
        work: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Option<T> {
        let Shared { generation, conn } = self.shared.borrow().clone()?;
        let mut conn = self.own(generation).unwrap_or(conn);
        let failed = match tokio::time::timeout(self.hurry, work(&mut conn)).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.hurry),
        };
        warn!(what, failed, "Redis does not do it");
        self.failed.notify_one();
        None
    }

    /// This worker's own connection. It is made when it is first asked for, and anew after a failure; until it is
    /// there, and on threads that are no workers, the shared one has to do.
    fn own(&self, generation: u64) -> Option<MultiplexedConnection> {
        let runtime = worker()?;
        let id = self.id;
        let is_current = move |own: &&mut Own| own.generation == generation;
        OWN.with_borrow_mut(|all| {
            if let Some(own) = all.get_mut(&id).filter(is_current) {
                return own.conn.clone();
            }
            all.insert(id, Own { generation, conn: None });
            let client = self.client.clone();
            runtime.spawn(async move {
                let connecting = tokio::time::timeout(PATIENCE, client.get_multiplexed_async_connection());
                if let Ok(Ok(conn)) = connecting.await {
                    OWN.with_borrow_mut(|all| {
                        if let Some(own) = all.get_mut(&id).filter(is_current) {
                            own.conn = Some(conn);
                        }
                    });
                }
            });
            None
        })
    }

    /// Keeps the shared connection, until `stop`. While there is none, nobody waits for it.
    pub async fn keep_connected(self, stop: CancellationToken) {
        let (mut backoff, mut generation) = (Backoff::reconnect(), 0);
        while !stop.is_cancelled() {
            let connecting = tokio::time::timeout(PATIENCE, self.client.get_multiplexed_async_connection());
            if let Ok(Ok(conn)) = connecting.await {
                backoff.reset();
                generation += 1;
                self.shared.send_replace(Some(Shared { generation, conn }));
                tokio::select! {
                    () = self.failed.notified() => {}
                    () = stop.cancelled() => {}
                }
                self.shared.send_replace(None);
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_delay()) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Tells the other replicas something. Whoever needs to know finds out without it too, only later.
    pub async fn tell(&self, channel: &str, what: &str) {
        let channel = self.key(channel);
        self.ask("telling", async |conn| {
            redis::cmd("PUBLISH").arg(channel).arg(what).query_async::<()>(conn).await
        })
        .await;
    }

    /// Calls `heard` with what is told on `channel`, until `stop`, and with nothing when messages may have been
    /// missed: at first, and whenever Redis is back.
    pub async fn hear(
        self,
        channel: &'static str,
        heard: impl Fn(Option<&str>) + Send + Sync,
        stop: CancellationToken,
    ) {
        let mut backoff = Backoff::reconnect();
        while !stop.is_cancelled() {
            tokio::select! {
                ended = self.listen(channel, &heard, &mut backoff) => {
                    if let Err(error) = ended {
                        warn!(%error, channel, "waiting for Redis");
                    }
                    tokio::select! {
                        () = tokio::time::sleep(backoff.next_delay()) => {}
                        () = stop.cancelled() => {}
                    }
                }
                () = stop.cancelled() => {}
            }
        }
    }

    async fn listen(
        &self,
        channel: &str,
        heard: &(impl Fn(Option<&str>) + Send + Sync),
        backoff: &mut Backoff,
    ) -> RedisResult<()> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(self.key(channel)).await?;
        info!(channel, "listening at Redis");
        backoff.reset();
        heard(None);
        let mut messages = subscription.on_message();
        while let Some(message) = messages.next().await {
            heard(message.get_payload::<String>().ok().as_deref());
        }
        Ok(())
    }
}
