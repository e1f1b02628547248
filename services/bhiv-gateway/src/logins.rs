//! Who may try to log in now: failed attempts close an account for a growing time, at every replica.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bhiv_types::Email;
use bhiv_web::Problem;
use chrono::{DateTime, Utc};
use deadpool_redis::redis::{self, Script};

use crate::domain::address::bucket;
use crate::domain::lockout::{Attempts, OF_ACCOUNT, OF_ADDRESS, Rule, attempt, millis};
use crate::error::LOGIN_LOCKED;
use crate::redis::Redis;

/// Accounts that are remembered in this process at once, at most.
const REMEMBERED: usize = 100_000;

/// [`attempt`] in Redis, so that replicas count together. Answers for how many milliseconds the account is closed.
static ATTEMPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local free, first, longest, memory, now = unpack(ARGV)
         local before = redis.call('HMGET', KEYS[1], 'count', 'closed_until')
         local closed = tonumber(before[2] or 0)
         if closed > tonumber(now) then return closed - now end
         local count = tonumber(before[1] or 0) + 1
         local delay = 0
         if count >= tonumber(free) then delay = math.min(first * 2 ^ (count - free), longest) end
         redis.call('HSET', KEYS[1], 'count', count, 'closed_until', string.format('%.0f', now + delay))
         redis.call('PEXPIRE', KEYS[1], string.format('%.0f', memory + delay))
         return 0",
    )
});

/// The attempts. Cloning it shares them.
#[derive(Clone, Debug)]
pub struct Logins(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: Redis,
    /// What is counted while Redis is away.
    local: Mutex<HashMap<String, Attempts>>,
}

impl Logins {
    /// Nobody has tried yet.
    pub fn new(redis: Redis) -> Self {
        Self(Arc::new(Inner { redis, local: Mutex::default() }))
    }

    /// Counts an attempt to log in. Whether there is such an account makes no difference.
    ///
    /// # Errors
    /// 429 when the account is closed.
    pub async fn attempt(&self, email: &Email, address: IpAddr, now: DateTime<Utc>) -> Result<(), Problem> {
        let now = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        for (rule, key) in counters(email, address) {
            let closed = match self.count(rule, &key, now).await {
                Some(closed) => closed,
                None => self.count_here(rule, key, now),
            };
            if closed > 0 {
                let detail = "too many attempts to log in have failed; try again later";
                return Err(Problem::new(LOGIN_LOCKED, detail).retry_after(closed.div_ceil(1_000)));
            }
        }
        Ok(())
    }

    /// Somebody has logged in: the attempts before are forgotten.
    pub async fn succeeded(&self, email: &Email, address: IpAddr) {
        let keys = counters(email, address).map(|(_, key)| key);
        {
            let mut local = self.0.local.lock().unwrap_or_else(PoisonError::into_inner);
            for key in &keys {
                local.remove(key);
            }
        }
        let keys = keys.map(|key| self.0.redis.key(key));
        let forgetting = async |conn: &mut _| redis::cmd("DEL").arg(&keys).query_async::<()>(conn).await;
        self.0.redis.ask("forgetting attempts", forgetting).await;
    }

    async fn count(&self, rule: Rule, key: &str, now: u64) -> Option<u64> {
        let Rule { free, first, longest, memory } = rule;
        let mut counting = ATTEMPT.prepare_invoke();
        counting.key(self.0.redis.key(key)).arg(free);
        counting.arg(millis(first)).arg(millis(longest)).arg(millis(memory)).arg(now);
        self.0.redis.ask("counting logins", async |conn| counting.invoke_async::<u64>(conn).await).await
    }

    fn count_here(&self, rule: Rule, key: String, now: u64) -> u64 {
        let mut local = self.0.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.len() >= REMEMBERED {
            local.retain(|_, attempts| attempts.closed_until > now);
        }
        let attempts = local.entry(key).or_default();
        match attempt(rule, *attempts, now) {
            Ok(after) => {
                *attempts = after;
                0
            }
            Err(closed) => closed,
        }
    }
}

/// What is counted for an attempt. Redis gets to know no addresses.
fn counters(email: &Email, address: IpAddr) -> [(Rule, String); 2] {
    let account = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, email.to_string().as_bytes()));
    let from = bucket(address);
    [(OF_ADDRESS, format!("login:{account}:{from}")), (OF_ACCOUNT, format!("login:{account}"))]
}
