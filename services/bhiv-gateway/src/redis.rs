//! Redis: what replicas of the gateway share. Nothing is lost without it; things only take longer, or are counted
//! by each replica alone.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_settings::Secret;
use bhiv_web::{Probe, Trouble};
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{self, Client, RedisError, Script};
use deadpool_redis::{Config, Pool, PoolError, Runtime, Timeouts};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::quota::{Quota, Verdict};

const PATIENCE: Duration = Duration::from_secs(2);

/// A request does not wait longer than this to be counted.
const COUNTING: Duration = Duration::from_millis(250);

/// [`crate::domain::quota::count`] with the time of Redis, which is the same for every replica. Numbers are written
/// by format, because Lua would round them.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
         local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
         local next = arrival + interval
         if next > now + window then
           return {0, 0, arrival - now, next - window - now}
         end
         redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
         return {1, math.floor((now + window - next) / interval), next - now, 0}",
    )
});

/// Connections to Redis. Cloning it shares them.
#[derive(Clone)]
pub struct Redis {
    pool: Pool,
    client: Client,
    prefix: String,
    /// One connection that all requests share, while there is one.
    shared: Arc<watch::Sender<Option<MultiplexedConnection>>>,
    /// The shared connection has failed.
    failed: Arc<Notify>,
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

impl Redis {
    /// Connects when it is first asked.
    ///
    /// # Errors
    /// When the address is malformed.
    pub fn new(url: &Secret, prefix: &str) -> Result<Self, String> {
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
        let (shared, failed) = (Arc::new(watch::Sender::new(None)), Arc::default());
        Ok(Self { pool, client, prefix: prefix.to_owned(), shared, failed })
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

    /// Counts a request of `caller`; `None` when Redis is away.
    pub async fn count(&self, caller: &str, quota: Quota) -> Option<Verdict> {
        let mut conn = self.shared.borrow().clone()?;
        let interval = quota.interval();
        let mut counting = COUNT.prepare_invoke();
        counting.key(format!("{}:rate:{caller}", self.prefix));
        counting.arg(interval).arg(interval * u64::from(quota.requests));
        let counting = counting.invoke_async::<(u8, u64, u64, u64)>(&mut conn);
        match tokio::time::timeout(COUNTING, counting).await {
            Ok(Ok((allowed, remaining, reset, retry_after))) => {
                Some(Verdict { is_allowed: allowed == 1, remaining, reset, retry_after })
            }
            Ok(Err(error)) => {
                warn!(%error, "Redis does not count");
                self.failed.notify_one();
                None
            }
            Err(_) => {
                warn!("Redis has not counted within {COUNTING:?}");
                self.failed.notify_one();
                None
            }
        }
    }

    /// Keeps the connection that all requests share, until `stop`. While there is none, nobody waits for it.
    pub async fn keep_connected(self, stop: CancellationToken) {
        let mut backoff = Backoff::reconnect();
        while !stop.is_cancelled() {
            let connecting = tokio::time::timeout(PATIENCE, self.client.get_multiplexed_async_connection());
            if let Ok(Ok(conn)) = connecting.await {
                backoff.reset();
                self.shared.send_replace(Some(conn));
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

    /// Channel on which a replica says that there are new live events.
    fn live(&self) -> String {
        format!("{}:live", self.prefix)
    }

    /// Tells the other replicas that there are new live events. They find out anyway, half a second later.
    pub async fn tell_of_live_events(&self) {
        let telling = async {
            let mut conn = self.pool.get().await?;
            redis::cmd("PUBLISH").arg(self.live()).arg("").query_async::<()>(&mut conn).await?;
            Ok::<_, Error>(())
        };
        if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, telling).await {
            tracing::debug!(%error, "other replicas are not told of live events");
        }
    }

    /// Calls `heard` whenever another replica tells of live events, until `stop`.
    pub async fn hear_of_live_events(self, heard: impl Fn() + Send + Sync, stop: CancellationToken) {
        let mut backoff = Backoff::reconnect();
        while !stop.is_cancelled() {
            tokio::select! {
                ended = self.listen(&heard, &mut backoff) => {
                    if let Err(error) = ended {
                        warn!(%error, "waiting for Redis");
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
        heard: &(impl Fn() + Send + Sync),
        backoff: &mut Backoff,
    ) -> Result<(), RedisError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(self.live()).await?;
        info!("connected to Redis");
        backoff.reset();
        let mut messages = subscription.on_message();
        while messages.next().await.is_some() {
            heard();
        }
        Ok(())
    }
}
