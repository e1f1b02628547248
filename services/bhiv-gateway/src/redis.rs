//! Redis: how replicas of the gateway tell each other. Nothing is lost without it; things only take longer.

use std::sync::Arc;
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_settings::Secret;
use bhiv_web::{Probe, Trouble};
use deadpool_redis::redis::{self, Client, RedisError};
use deadpool_redis::{Config, Pool, PoolError, Runtime, Timeouts};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Channel on which a replica says that there are new live events.
const LIVE: &str = "bhiv:live";

const PATIENCE: Duration = Duration::from_secs(2);

/// Connections to Redis. Cloning it shares them.
#[derive(Clone)]
pub struct Redis {
    pool: Pool,
    client: Client,
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
    pub fn new(url: &Secret) -> Result<Self, String> {
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
        Ok(Self { pool, client })
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

    /// Tells the other replicas that there are new live events. They find out anyway, half a second later.
    pub async fn tell_of_live_events(&self) {
        let telling = async {
            let mut conn = self.pool.get().await?;
            redis::cmd("PUBLISH").arg(LIVE).arg("").query_async::<()>(&mut conn).await?;
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
        subscription.subscribe(LIVE).await?;
        info!("connected to Redis");
        backoff.reset();
        let mut messages = subscription.on_message();
        while messages.next().await.is_some() {
            heard();
        }
        Ok(())
    }
}
