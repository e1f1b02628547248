//! Answers of modules that are kept in Redis for a while, for all replicas (RFC 9111, a shared cache that is ours).
//!
//! Each module has a generation: an id in Redis. An answer is kept together with the generation that was read
//! *before* the module was asked, and is given only while the generation is still that one. Whatever may have changed
//! the module gives it a new one, which no answer has yet:
//! - a write through the gateway, whatever comes of it, before its answer goes to the client. So a client reads its
//!   own writes, at any replica, and so does everybody whom it tells;
//! - every event and audit row of the module, as it is heard: reactions, and what is done past the gateway. Until
//!   then, tens of milliseconds usually, the old answer is given;
//! - what anybody says to consent, in all modules.
//!
//! Each process has those that it gave or read last at hand. It asks Redis whether the kept one is that very one, and
//! takes it over only if not: which answer is kept, and until when, Redis alone knows.
//!
//! Without Redis nothing is kept and every request goes to its module. A replica that could not renew a generation
//! goes past the cache of that module until it could. Others may meanwhile give an old answer if they still reach
//! Redis, until the event of the change reaches one of them; the same is true when Redis fails over to a replica of
//! its own that has not seen the renewal. At most it lasts as long as answers are kept.

mod answers;
mod kept;
mod shared;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody as _;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, PRAGMA, RANGE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use bhiv_broker::Backoff;
use bhiv_clock::Clock;
use bhiv_telemetry::metrics::{BoundCounter, KeyValue, counter};
use bhiv_web::{Result, RouteName};
use tokio_util::sync::CancellationToken;

use crate::changes::Changes;
use crate::domain::cache::{Directives, is_kept};
use crate::forward::{self, Client, Newest};
use crate::modules::{Modules, NAMES};
use crate::recent::Recent;
use crate::redis::Redis;
use answers::Whole;
use kept::Near;
use shared::{Found, Lookup, caller};

/// How long changes are still heard of when the process ends.
const LAST: Duration = Duration::from_millis(500);

/// What it does with a read.
const OUTCOMES: [&str; 4] = ["bypass", "refresh", "miss", "hit"];

/// What is kept. Cloning it shares it.
#[derive(Clone)]
pub struct Cache {
    /// How long answers are kept; not at all without it.
    ttl: Option<Duration>,
    redis: Redis,
    near: Near,
    changes: Changes,
    clock: Clock,
    /// By module and by what the cache did.
    asked: Arc<HashMap<(&'static str, &'static str), BoundCounter<u64>>>,
}

impl Cache {
    /// Answers are kept for `seconds`; 0 keeps none.
    pub fn new(seconds: u64, redis: Redis, changes: Changes, clock: Clock) -> Self {
        // Nobody knows what happened while there was no process.
        changes.everywhere();
        let asked = counter("gateway_cache", "Reads of modules, by what the cache did.");
        let bound = |module, outcome| {
            let labels = [KeyValue::new("module", module), KeyValue::new("outcome", outcome)];
            ((module, outcome), asked.bind(&labels))
        };
        let asked = NAMES.iter().flat_map(|module| OUTCOMES.map(|outcome| bound(*module, outcome))).collect();
        let ttl = Some(Duration::from_secs(seconds)).filter(|ttl| !ttl.is_zero());
        Self { ttl, redis, near: Near::new(), changes, clock, asked: Arc::new(asked) }
    }

    /// Gives modules new generations for what others leave to it, until `stop`.
    pub async fn keep_up(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        let mut forgetting = tokio::time::interval(self.ttl.unwrap_or(Duration::from_hours(1)));
        while !stop.is_cancelled() {
            if self.renew(&self.changes.unsettled()).await {
                backoff.reset();
                tokio::select! {
                    () = self.changes.left() => {}
                    _ = forgetting.tick() => self.forget(),
                    () = stop.cancelled() => {}
                }
            } else {
                tokio::select! {
                    () = tokio::time::sleep(backoff.next_delay()) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        // The last messages are being handled just now, and nobody comes after this process to tell of them.
        tokio::time::sleep(LAST).await;
        self.renew(&self.changes.unsettled()).await;
    }

    fn forget(&self) {
        let ttl = self.ttl.unwrap_or_default().as_secs();
        self.near.forget_before(answers::seconds(self.clock.now()).saturating_sub(ttl));
    }

    fn count(&self, module: &'static str, outcome: &'static str) {
        if let Some(asked) = self.asked.get(&(module, outcome)) {
            asked.add(1);
        }
    }
}

/// Every path that the gateway has no handler of its own for.
pub async fn answer(
    request: HttpRequest,
    body: Payload,
    modules: Data<Modules>,
    client: Data<Client>,
    cache: Data<Cache>,
) -> Result<HttpResponse> {
    let module = modules.owner(request.path()).map(|(module, _)| module.name);
    if let Some(module) = module {
        request.extensions_mut().insert(RouteName(module));
    }
    // In its own place: it is large, and would be moved from one future to the next.
    let forwarding = Box::pin(forward::forward(request.clone(), body, modules, client));
    match (module, request.method()) {
        (Some(module), &Method::GET) => read(&request, module, &cache, forwarding).await,
        (None, _) | (_, &(Method::HEAD | Method::OPTIONS | Method::TRACE)) => forwarding.await,
        (Some(module), _) => {
            let answer = write(module, &cache, forwarding).await;
            if let Some(recent) = request.app_data::<Data<Recent>>() {
                recent.wrote(&request).await;
            }
            answer
        }
    }
}

/// A write that is under way.
struct Writing {
    cache: Cache,
    module: &'static str,
    is_over: bool,
}

impl Writing {
    /// It is over: no answer from before is given any more.
    async fn end(mut self) {
        self.is_over = true;
        let changed: Vec<_> = self.cache.changes.of(self.module).into_iter().collect();
        if !self.cache.renew(&changed).await {
            self.cache.changes.leave();
        }
    }
}

/// The client has gone; the module may go on.
impl Drop for Writing {
    fn drop(&mut self) {
        if !self.is_over {
            self.cache.changes.of(self.module);
            self.cache.changes.leave();
        }
    }
}

async fn write(
    module: &'static str,
    cache: &Cache,
    forwarding: impl Future<Output = Result<HttpResponse>>,
) -> Result<HttpResponse> {
    let writing = || Writing { cache: cache.clone(), module, is_over: false };
    let first = writing();
    let answer = forwarding.await;
    first.end().await;
    // A module answers JSON, or nothing, when it has done everything; a report it may write while it works.
    answer.map(|answer| {
        let is_over = answers::is_json(answer.headers()) || answer.body().size().is_eof();
        if is_over { answer } else { answers::and_then(answer, writing().end()) }
    })
}

async fn read(
    request: &HttpRequest,
    module: &'static str,
    cache: &Cache,
    forwarding: impl Future<Output = Result<HttpResponse>>,
) -> Result<HttpResponse> {
    let headers = request.headers();
    let caller = caller(request);
    let is_known = caller.is_some() || !headers.contains_key(AUTHORIZATION);
    if !is_kept(request.path()) || headers.contains_key(RANGE) || !is_known {
        cache.count(module, "bypass");
        return forwarding.await.map(|answer| answers::marked(answer, "fwd=bypass"));
    }
    let mut wish = Directives::of(&answers::joined(headers, &CACHE_CONTROL));
    wish.no_cache |= answers::joined(headers, &PRAGMA).eq_ignore_ascii_case("no-cache");
    let found = if wish.no_store { None } else { cache.find(request, module, caller.as_deref()).await };
    let (outcome, why) = match found.as_ref().map(|Found { lookup, .. }| lookup) {
        None => ("bypass", "fwd=bypass"),
        Some(_) if wish.no_cache => ("refresh", "fwd=request"),
        Some(Lookup::Absent) => ("miss", "fwd=uri-miss"),
        Some(Lookup::Stale) => ("miss", "fwd=stale"),
        Some(Lookup::Malformed) => ("miss", "fwd=miss"),
        Some(Lookup::Hit(kept)) => {
            cache.count(module, "hit");
            return Ok(answers::kept(request, kept, cache.ttl, cache.clock.now()));
        }
    };
    cache.count(module, outcome);
    if found.is_some() {
        // Others are given it, too, also whoever has written something since.
        request.extensions_mut().insert(Newest);
    }
    let whole = match answers::whole(forwarding.await?).await? {
        Whole::Not(answer) => return Ok(answers::marked(answer, why)),
        Whole::Answer(whole) => whole,
    };
    let (answer, kept) = answers::fresh(request, whole, why, found.is_some(), &cache.clock);
    if let (Some(found), Some(kept)) = (found, kept) {
        let cache = cache.clone();
        // Nobody has to wait for it.
        actix_web::rt::spawn(async move { cache.keep(found, kept).await });
    }
    Ok(answer)
}
