//! Layer 4: a write about a person who has said no to its purpose is refused.
//!
//! Compliance tells what people say; the replica that hears it keeps it in a table (see [`crate::consumers`]) and
//! tells the others over Redis, who read what is new. Without Redis they find out when they look, twice a second.
//! Each replica has everybody who said no in memory: a request asks neither PostgreSQL nor Redis.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::Bytes;
use bhiv_db::{Error, Pool};
use bhiv_telemetry::metrics::{Gauge, gauge};
use bhiv_web::{Problem, codes};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::consent::{No, SaidNo, Write};
use crate::error::CONSENT_REQUIRED;
use crate::redis::Redis;
use crate::store::consent::{self, Consent};

/// Where replicas tell each other that somebody said something.
pub const CHANNEL: &str = "consent";

/// How often the table is looked at when nobody tells of news.
const POLL: Duration = Duration::from_millis(500);

/// What was read longer ago than this is not relied on.
const FRESH: Duration = Duration::from_secs(10);

/// How long a request waits for what people said to be known again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same when the process has just begun. It reads that as soon as it can, and whoever balances without looking at
/// `/health/ready`, as NGINX does, sends it requests at once.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);

/// Consents that are read at a time.
const PAGE: i64 = 5_000;

/// What people said. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Consents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    said_no: RwLock<SaidNo>,
    /// When the table was read last.
    read_at: watch::Sender<Option<Instant>>,
    changed_here: Notify,
    changed_elsewhere: Notify,
    people: Gauge<f64>,
}

impl Default for Consents {
    fn default() -> Self {
        Self(Arc::new(Inner {
            said_no: RwLock::default(),
            read_at: watch::Sender::new(None),
            changed_here: Notify::new(),
            changed_elsewhere: Notify::new(),
            people: gauge("gateway_consent_people", "People who have said no to something."),
        }))
    }
}

impl Consents {
    /// This replica wrote down what somebody said.
    pub fn changed(&self) {
        self.0.changed_here.notify_one();
    }

    /// Another replica did.
    pub fn heard(&self) {
        self.0.changed_elsewhere.notify_one();
    }

    /// Whether an event, in CloudEvents' JSON format, may be shown as it happens: it is about nobody who has said no
    /// to `streaming` or `processing`. While it is not known who has, nothing may.
    pub fn may_show(&self, event: &Value) -> bool {
        self.is_known() && self.0.said_no.read().unwrap_or_else(PoisonError::into_inner).allows(event)
    }

    /// Whether it is known who said no.
    pub fn is_known(&self) -> bool {
        self.0.read_at.borrow().is_some()
    }

    /// Whether the request needs no consent, or has it. Its body is read only if that says whom it is about.
    ///
    /// # Errors
    /// 403 `consent_required` for a person who said no; 503 while it is not known who did; 413 when the body is
    /// larger than any module takes for such a request.
    pub async fn check(&self, request: &mut ServiceRequest) -> Result<(), Problem> {
        let path = request.path();
        if matches!(path, "/events/stream" | "/ws") || path.starts_with("/event/events") {
            return self.known().await;
        }
        let Some(write) = Write::of(request.method().as_str(), request.path()) else { return Ok(()) };
        self.known().await?;
        if self.0.said_no.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        let body = if write.asks_the_body() { body(request).await? } else { Value::Null };
        let said_no = self.0.said_no.read().unwrap_or_else(PoisonError::into_inner);
        write.against(&body, &said_no).map_or(Ok(()), |no| Err(refused(no)))
    }

    /// Waits until it is known who said no.
    async fn known(&self) -> Result<(), Problem> {
        let is_fresh = |read_at: &Option<Instant>| read_at.is_some_and(|at| at.elapsed() < FRESH);
        let mut reads = self.0.read_at.subscribe();
        let patience = if self.is_known() { PATIENCE } else { FIRST_PATIENCE };
        match tokio::time::timeout(patience, reads.wait_for(is_fresh)).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Problem::new(codes::UNAVAILABLE, "it is not known who has consented").retry_after(5)),
        }
    }

    /// Reads what is new, until `stop`.
    pub async fn follow(self, pool: Pool, redis: Redis, stop: CancellationToken) {
        let mut place = None;
        loop {
            match self.read_new(&pool, place).await {
                Ok(end) => {
                    place = Some(end);
                    self.0.read_at.send_replace(Some(Instant::now()));
                }
                Err(error) => warn!(%error, "what people consent to is not known"),
            }
            let here = tokio::select! {
                () = self.0.changed_here.notified() => true,
                () = self.0.changed_elsewhere.notified() => false,
                () = tokio::time::sleep(POLL) => false,
                () = stop.cancelled() => return,
            };
            if here {
                redis.tell(CHANNEL, "").await;
            }
        }
    }

    /// Takes in what stands above `place`, and answers the highest place. At first, those who said yes are of no
    /// interest.
    async fn read_new(&self, pool: &Pool, place: Option<i64>) -> Result<i64, Error> {
        let mut conn = pool.get().await?;
        if let Some(mut place) = place {
            loop {
                let page = consent::after(&mut conn, place, PAGE).await?;
                let Some(end) = page.last() else { return Ok(place) };
                place = end.place;
                self.take_in(&page);
            }
        }
        // Whatever changes meanwhile stands above it, and is read again.
        let last = consent::last(&mut conn).await?;
        let mut read = 0;
        loop {
            let page = consent::revoked_after(&mut conn, read, PAGE).await?;
            let Some(end) = page.last() else { return Ok(last) };
            read = end.place;
            self.take_in(&page);
        }
    }

    fn take_in(&self, consents: &[Consent]) {
        let mut said_no = self.0.said_no.write().unwrap_or_else(PoisonError::into_inner);
        for consent in consents {
            said_no.note(&consent.person, &consent.purpose, consent.is_no());
        }
        #[expect(clippy::cast_precision_loss, reason = "people are fewer than 2^52")]
        self.0.people.record(said_no.len() as f64, &[]);
    }
}

/// Reads the body to the end and puts it back for whoever comes next. What is no JSON names nobody, and its owner
/// refuses it.
async fn body(request: &mut ServiceRequest) -> Result<Value, Problem> {
    let body = request.extract::<Bytes>().await.map_err(|error| {
        match error.as_response_error().status_code().as_u16() {
            413 => Problem::from(codes::BODY_TOO_LARGE),
            _ => Problem::new(codes::BAD_REQUEST, error.to_string()),
        }
    })?;
    let value = serde_json::from_slice(&body).unwrap_or_default();
    // It has been decompressed.
    request.headers_mut().remove(CONTENT_ENCODING);
    request.set_payload(Payload::from(body));
    Ok(value)
}

/// 403 that says how to get the consent.
fn refused(No { person, purpose }: No) -> Problem {
    let grant = json!({
        "method": "POST",
        "href": "/consent/grant",
        "body": {"subject": person, "purpose": purpose},
    });
    Problem::new(CONSENT_REQUIRED, format!("{person} has withdrawn or refused consent to {purpose}"))
        .with("subject", person)
        .with("purpose", purpose)
        .with("grant", grant)
}
