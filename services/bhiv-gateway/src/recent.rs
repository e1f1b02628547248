//! Who wrote something just now, at whichever replica: whoever did reads from the primary of a module's database, and so
//! reads their own writes. Others may be answered by a standby, which lacks no more than a bound.
//!
//! A write is noted in Redis before its answer goes out. Without Redis everybody reads from the primary. If Redis fails for
//! the note alone, this replica has everybody read from the primary for a while; another one may not know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::{HttpMessage as _, HttpRequest};
use bhiv_auth::Caller;
use deadpool_redis::redis;

use crate::redis::Redis;

/// What is known of recent writes.
#[derive(Debug)]
pub struct Recent {
    /// For how long a write is recent; standbys are not used at all without it.
    span: Option<Duration>,
    redis: Redis,
    /// Until then a write may be missing in Redis.
    unknown_until: Mutex<Option<Instant>>,
}

impl Recent {
    /// `staleness` is what standbys may lack, in milliseconds.
    pub fn new(staleness: Option<u64>, redis: Redis) -> Self {
        // A write is in the database before it is noted, so a little more than once would do.
        let span = staleness.map(|staleness| Duration::from_millis(staleness.saturating_mul(2).max(1)));
        Self { span, redis, unknown_until: Mutex::new(None) }
    }

    /// The request wrote something, or may have. To be called before it is answered.
    pub async fn wrote(&self, request: &HttpRequest) {
        let Some((span, key)) = self.span.zip(self.key(request)) else { return };
        let milliseconds = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let noted = self.redis.ask("recent writes", async |conn| {
            redis::cmd("SET").arg(key).arg(1).arg("PX").arg(milliseconds).query_async::<()>(conn).await
        });
        if noted.await.is_none() {
            *self.unknown_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + span);
        }
    }

    /// Whether the request may be answered without the newest writes.
    pub async fn may_lag(&self, request: &HttpRequest) -> bool {
        let Some(key) = self.span.and_then(|_| self.key(request)) else { return false };
        let until = *self.unknown_until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let found = self
            .redis
            .ask("recent writes", async |conn| redis::cmd("EXISTS").arg(key).query_async::<bool>(conn).await);
        found.await == Some(false)
    }

    /// Nobody whom we do not know is told of writes of their own.
    fn key(&self, request: &HttpRequest) -> Option<String> {
        let extensions = request.extensions();
        let caller = extensions.get::<Arc<Caller>>()?;
        Some(self.redis.key(format!("wrote:{}", caller.id)))
    }
}
