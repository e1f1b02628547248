//! What a request has to be before anybody looks at it, and what every answer says to browsers.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpResponse, rt};
use bhiv_web::{Problem, codes};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::time::sleep;

use crate::config::EdgeSettings;
use crate::domain::origin::Origin;
use crate::domain::{bodies, target};
use crate::error::{HEADERS_TOO_LARGE, MALFORMED_PATH, URI_TOO_LONG};
use crate::forward;

/// Header lines of a request, at most. The HTTP library of a module takes 96, the gateway's own included.
const HEADER_LINES: usize = 80;

/// Names and values of a request's headers, in bytes, at most.
const HEADER_BYTES: usize = 32 * 1024;

/// How long an unread body is held, so that its answer has been written by then.
const HELD: Duration = Duration::from_secs(1);

/// What pages of other origins may send.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, \
    Last-Event-ID, Request-Timeout, Traceparent, X-Api-Key, X-Correlation-Id, X-Request-Id";

/// What they may read of an answer, beside what every page may.
const EXPOSED: &str = "ETag, Idempotency-Replayed, Location, RateLimit-Limit, RateLimit-Remaining, \
    RateLimit-Reset, Retry-After, X-Request-Id";

/// An answer of the API is no page: a browser that shows it loads nothing and runs nothing.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The API's page loads what it is made of from here, and has styles within its elements.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the gateway asks of requests, and says with answers.
#[derive(Clone, Debug)]
pub struct Edge {
    origins: Vec<Origin>,
    transport: Option<HeaderValue>,
    idle: Duration,
}

impl Edge {
    /// A body of which nothing comes for `idle` is cut.
    pub fn new(settings: &EdgeSettings, idle: Duration) -> Self {
        let transport = settings.hsts_seconds.map(|seconds| format!("max-age={seconds}"));
        let transport = transport.and_then(|text| HeaderValue::try_from(text).ok());
        Self { origins: settings.cors_origins.clone(), transport, idle }
    }

    /// Sees to it that nobody reads more of the body than there may be, or waits for it for ever.
    pub fn watch_body(&self, request: &mut ServiceRequest) {
        if !forward::has_body(request.headers()) {
            return;
        }
        let unread = Unread::default();
        unread.0.body.replace(request.take_payload());
        request.extensions_mut().insert(unread.clone());
        let mut left = bodies::limit(request.method().as_str(), request.path());
        let body = stream::poll_fn(move |cx| unread.poll(cx)).map(move |chunk| {
            let chunk = chunk?;
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or(PayloadError::Overflow)?;
            Ok(chunk)
        });
        let late = std::io::ErrorKind::TimedOut;
        let body = forward::paced(body, self.idle, move || PayloadError::Io(late.into()));
        request.set_payload(Payload::Stream { payload: Box::pin(body) });
    }

    /// The answer to a browser that asks what a page of another origin may send (CORS preflight). No token comes
    /// with it.
    pub fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut answer = HttpResponse::NoContent();
        if self.lets_in(headers).is_some() {
            answer
                .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
                .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS))
                .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"));
        }
        Some(answer.finish())
    }

    /// What every answer says, unless its owner has said it.
    pub fn mark(&self, answer: &mut ServiceResponse<BoxBody>) {
        let is_page = answer.request().path().starts_with("/docs");
        let origin = self.lets_in(answer.request().headers()).cloned();
        let unread = answer.request().extensions().get::<Unread>().filter(|unread| !unread.ended()).cloned();
        let refused = answer.status().is_client_error() || answer.status().is_server_error();
        if let Some(unread) = unread.filter(|_| refused) {
            // Actix closes a connection after an answer if the body is there and unread. It would wait for the
            // end of a chunked one that nobody holds, and that may never come.
            rt::spawn(sleep(HELD).map(move |()| drop(unread)));
        }
        let headers = answer.headers_mut();
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
        if !self.origins.is_empty() {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        for (name, value) in [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::CONTENT_SECURITY_POLICY, if is_page { PAGE_POLICY } else { API_POLICY }),
            (header::CACHE_CONTROL, if is_page { "no-cache" } else { "no-store" }),
        ] {
            or_insert(headers, name, HeaderValue::from_static(value));
        }
        if let Some(transport) = &self.transport {
            or_insert(headers, header::STRICT_TRANSPORT_SECURITY, transport.clone());
        }
    }

    /// The origin of a page that may read the answer.
    pub fn lets_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.origins.iter().any(|allowed| allowed.is(text)).then_some(origin)
    }
}

/// The body of a request as it comes from the client, at hand until nobody needs it. Cloning it shares it.
#[derive(Clone, Default)]
struct Unread(Rc<Source>);

struct Source {
    body: RefCell<Payload>,
    ended: Cell<bool>,
}

impl Default for Source {
    fn default() -> Self {
        Self { body: RefCell::new(Payload::None), ended: Cell::new(false) }
    }
}

impl Unread {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let next = self.0.body.borrow_mut().poll_next_unpin(cx);
        self.0.ended.set(matches!(next, Poll::Ready(None)));
        next
    }

    fn ended(&self) -> bool {
        self.0.ended.get()
    }
}

/// Whether a request can be understood in one way only.
///
/// # Errors
/// 400, 405, 414 or 431.
pub fn check(request: &ServiceRequest) -> Result<(), Problem> {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(codes::METHOD_NOT_ALLOWED.into());
    }
    let (path, query) = (request.path(), request.query_string());
    if path.len() + query.len() >= target::LONGEST {
        return Err(URI_TOO_LONG.into());
    }
    target::check(path).map_err(|fault| Problem::new(MALFORMED_PATH, fault))?;
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > HEADER_LINES || bytes > HEADER_BYTES {
        return Err(HEADERS_TOO_LARGE.into());
    }
    Ok(())
}

/// Whether its body, as long as it says it is, may be sent.
///
/// # Errors
/// 413 if it is too large.
pub fn check_length(request: &ServiceRequest) -> Result<(), Problem> {
    let limit = bodies::limit(request.method().as_str(), request.path());
    if forward::length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Problem::new(codes::BODY_TOO_LARGE, format!("{limit} bytes are taken here")));
    }
    Ok(())
}

fn or_insert(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}
