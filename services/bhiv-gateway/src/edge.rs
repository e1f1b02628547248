//! What a request has to be before anybody looks at it, and what every answer says to browsers.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpResponse};
use bhiv_web::{Problem, codes};
use futures_util::StreamExt as _;

use crate::config::EdgeSettings;
use crate::domain::origin::Origin;
use crate::domain::{bodies, target};
use crate::error::{HEADERS_TOO_LARGE, MALFORMED_PATH, URI_TOO_LONG};
use crate::forward;

/// Header lines of a request, at most. The HTTP library of a module takes 96, the gateway's own included.
const HEADER_LINES: usize = 80;

/// Names and values of a request's headers, in bytes, at most.
const HEADER_BYTES: usize = 32 * 1024;

/// What pages of other origins may send.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, \
    Last-Event-ID, Request-Timeout, Traceparent, X-Correlation-Id, X-Request-Id";

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

impl Edge {
    /// A body of which nothing comes for `idle` is cut.
    pub fn new(settings: &EdgeSettings, idle: Duration) -> Self {
        let transport = settings.hsts_seconds.map(|seconds| format!("max-age={seconds}"));
        let transport = transport.and_then(|text| HeaderValue::try_from(text).ok());
        Self { origins: settings.cors_origins.clone(), transport, idle }
    }

    /// Sees to it that nobody reads more of the body than there may be, or waits for it for ever.
    ///
    /// # Errors
    /// 413 if its length says that it is too large.
    pub fn limit_body(&self, request: &mut ServiceRequest) -> Result<(), Problem> {
        if !forward::has_body(request.headers()) {
            return Ok(());
        }
        let limit = bodies::limit(request.method().as_str(), request.path());
        if forward::length(request.headers()).is_some_and(|length| length > limit) {
            return Err(Problem::new(codes::BODY_TOO_LARGE, format!("{limit} bytes are taken here")));
        }
        let mut left = limit;
        let body = request.take_payload().map(move |chunk| {
            let chunk = chunk?;
            let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or(PayloadError::Overflow)?;
            Ok(chunk)
        });
        let late = std::io::ErrorKind::TimedOut;
        let body = forward::paced(body, self.idle, move || PayloadError::Io(late.into()));
        request.set_payload(Payload::Stream { payload: Box::pin(body) });
        Ok(())
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
        // The rest of a body that was refused is not waited for.
        if matches!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            answer.response_mut().head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
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
    fn lets_in<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        self.origins.iter().any(|allowed| allowed.is(text)).then_some(origin)
    }
}

fn or_insert(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}
