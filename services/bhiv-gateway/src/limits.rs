//! How often somebody may call: counted in Redis, exactly across replicas; in this process when Redis is away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bhiv_auth::Caller;
use bhiv_telemetry::metrics::{BoundCounter, KeyValue, counter};
use bhiv_web::Problem;
use ipnet::IpNet;
use quick_cache::sync::Cache;

use crate::domain::address::{bucket, client};
use crate::domain::quota::{Quota, Quotas, Verdict, Who, count};
use crate::error::RATE_LIMITED;
use crate::redis::{Pending, Redis};

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
    /// Callers who had at least half of their quota left when they were counted last.
    at_ease: Cache<String, ()>,
    by_redis: Outcomes,
    by_process: Outcomes,
}

/// How many requests passed and how many did not.
struct Outcomes {
    allowed: BoundCounter<u64>,
    refused: BoundCounter<u64>,
}

/// Where a request comes from, as far as our own proxies say.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// A request that is being counted.
pub struct Counting {
    limits: Limits,
    key: String,
    quota: Quota,
    is_at_ease: bool,
    verdict: Pending,
}

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
        let outcomes = |counter| {
            let bound = |outcome| {
                counted.bind(&[KeyValue::new("counter", counter), KeyValue::new("outcome", outcome)])
            };
            Outcomes { allowed: bound("allowed"), refused: bound("refused") }
        };
        Self(Arc::new(Inner {
            quotas,
            proxies,
            redis,
            local: Mutex::default(),
            began: Instant::now(),
            at_ease: Cache::new(COUNTED),
            by_redis: outcomes("redis"),
            by_process: outcomes("process"),
        }))
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
    pub fn count(
        &self,
        caller: Option<&Caller>,
        address: IpAddr,
        method: &str,
        path: &str,
    ) -> Option<Counting> {
        let who = caller.map_or(Who::Address, |caller| Who::User(&caller.roles));
        let (rule, quota) = self.0.quotas.of(who, method, path)?;
        let key = match caller {
            Some(caller) => [&rule.name, " ", &caller.id].concat(),
            None => format!("{} {}", rule.name, bucket(address)),
        };
        let is_at_ease = self.0.at_ease.get(&key).is_some();
        let verdict = self.0.redis.count(key.clone(), quota);
        Some(Counting { limits: self.clone(), key, quota, is_at_ease, verdict })
    }
}

impl Inner {
    fn count_here(&self, key: &str, quota: Quota) -> Verdict {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if local.len() >= COUNTED {
            // Whose quota is whole again need not be remembered. If nobody's is, better forget than grow.
            local.retain(|_, arrival| *arrival > now);
            if local.len() >= COUNTED {
                local.clear();
            }
        }
        let arrival = local.entry(key.to_owned()).or_insert(now);
        let (verdict, next) = count(quota, *arrival, now);
        *arrival = next;
        verdict
    }
}

impl Counting {
    /// Whether it will most likely be allowed: its caller was far from the limit a moment ago.
    pub fn is_at_ease(&self) -> bool {
        self.is_at_ease
    }

    /// What came of it.
    pub async fn end(self) -> Counted {
        let Self { limits, key, quota, is_at_ease, verdict } = self;
        let limits = &limits.0;
        let (verdict, outcomes) = match verdict.told().await {
            Some(verdict) => (verdict, &limits.by_redis),
            None => (limits.count_here(&key, quota), &limits.by_process),
        };
        match (is_at_ease, verdict.remaining * 2 >= u64::from(quota.requests)) {
            (false, true) => limits.at_ease.insert(key, ()),
            (true, false) => drop(limits.at_ease.remove(&key)),
            _ => {}
        }
        let outcome = if verdict.is_allowed { &outcomes.allowed } else { &outcomes.refused };
        outcome.add(1);
        Counted { quota, verdict }
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
