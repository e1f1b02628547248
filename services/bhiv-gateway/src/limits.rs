//! How often somebody may call: counted in Redis, exactly across replicas; in this process when Redis is away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bhiv_auth::Caller;
use bhiv_telemetry::metrics::{Counter, KeyValue, counter};
use bhiv_web::Problem;
use ipnet::IpNet;

use crate::domain::address::{bucket, client};
use crate::domain::quota::{Quota, Quotas, Verdict, Who, count};
use crate::error::RATE_LIMITED;
use crate::redis::Redis;

/// Callers that are counted in this process at once, at most.
const COUNTED: usize = 100_000;

/// The quotas and who has used how much. Cloning it shares it.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    quotas: Quotas,
    proxies: Vec<IpNet>,
    redis: Redis,
    /// When the next request of each caller is due, in microseconds since `began`.
    local: Mutex<HashMap<String, u64>>,
    began: Instant,
    counted: Counter<u64>,
}

/// Where a request comes from, as far as our own proxies say.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// A request that was counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    quota: Quota,
    verdict: Verdict,
}

impl Limits {
    /// Nothing is counted yet.
    pub fn new(quotas: Quotas, proxies: Vec<IpNet>, redis: Redis) -> Self {
        let counted =
            counter("gateway_rate_limit", "Requests that were counted, by who counted and what came of it.");
        let local = Mutex::default();
        Self(Arc::new(Inner { quotas, proxies, redis, local, began: Instant::now(), counted }))
    }

    /// Whether `peer` is a proxy of ours, whose `X-Forwarded-*` are believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.proxies.iter().any(|net| net.contains(&peer))
    }

    /// The client's address.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer.to_canonical();
        }
        // Several lines are one list (RFC 9110, 5.2); the last one is the closest to us.
        let lines: Vec<_> =
            headers.get_all("x-forwarded-for").filter_map(|line| line.to_str().ok()).collect();
        client(peer.to_canonical(), Some(&lines.join(",")), &self.0.proxies)
    }

    /// Counts a request; `None` if it is without limit.
    pub async fn count(
        &self,
        caller: Option<&Caller>,
        address: IpAddr,
        method: &str,
        path: &str,
    ) -> Option<Counted> {
        let who = caller.map_or(Who::Address, |caller| Who::User(&caller.roles));
        let (rule, quota) = self.0.quotas.of(who, method, path)?;
        let key = match caller {
            Some(caller) => format!("{} {}", rule.name, caller.id),
            None => format!("{} {}", rule.name, bucket(address)),
        };
        let (verdict, counter) = match self.0.redis.count(key.clone(), quota).await {
            Some(verdict) => (verdict, "redis"),
            None => (self.count_here(key, quota), "process"),
        };
        let outcome = if verdict.is_allowed { "allowed" } else { "refused" };
        self.0.counted.add(1, &[KeyValue::new("counter", counter), KeyValue::new("outcome", outcome)]);
        Some(Counted { quota, verdict })
    }

    fn count_here(&self, key: String, quota: Quota) -> Verdict {
        let now = u64::try_from(self.0.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut local = self.0.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.len() >= COUNTED {
            // Whose quota is whole again need not be remembered. If nobody's is, better forget than grow.
            local.retain(|_, arrival| *arrival > now);
            if local.len() >= COUNTED {
                local.clear();
            }
        }
        let arrival = local.entry(key).or_insert(now);
        let (verdict, next) = count(quota, *arrival, now);
        *arrival = next;
        verdict
    }
}

impl Counted {
    /// 429 if it was too much.
    ///
    /// # Errors
    /// When it was.
    pub fn check(self) -> Result<(), Problem> {
        if self.verdict.is_allowed {
            return Ok(());
        }
        let Quota { requests, per } = self.quota;
        let detail = format!("{requests} requests in {per:?} are allowed");
        Err(Problem::new(RATE_LIMITED, detail).retry_after(seconds(self.verdict.retry_after)))
    }

    /// Tells the client where it stands.
    pub fn tell(self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("ratelimit-limit", u64::from(self.quota.requests)),
            ("ratelimit-remaining", self.verdict.remaining),
            ("ratelimit-reset", seconds(self.verdict.reset)),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

/// Whole seconds, at least 1.
fn seconds(micros: u64) -> u64 {
    Duration::from_micros(micros).as_micros().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX).max(1)
}
