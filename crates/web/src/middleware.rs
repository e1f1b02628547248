//! What surrounds every handler: a name for the request, its span, its metrics, its line in the log, and
//! problems as answers.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use bhiv_telemetry::metrics::{self, BoundHistogram, Histogram, KeyValue};
use bhiv_telemetry::trace;
use tracing::info_span;

use crate::Problem;
use crate::problem::codes;

/// Header that names a request, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// A request that takes longer is worth a line.
const SLOW: Duration = Duration::from_millis(500);

/// What a request is called.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    /// The caller's name for it, or ours.
    pub id: String,
}

impl RequestMeta {
    /// That of `request`; empty outside of [`surround`].
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get().cloned().unwrap_or_else(|| Self { id: String::new() })
    }

    fn new(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let is_harmless = |id: &&str| {
            (8..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let id = given.filter(is_harmless).map_or_else(fresh_id, str::to_owned);
        Self { id }
    }
}

#[expect(clippy::disallowed_methods, reason = "it names a request in logs and decides nothing")]
fn fresh_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// The outermost middleware of every service.
///
/// # Errors
/// Those of a middleware inside of it.
pub async fn surround(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let _in_flight = InFlight::new();
    let meta = RequestMeta::new(request.headers());
    request.extensions_mut().insert(meta.clone());
    let method = request.method().clone();
    let traceparent = request.headers().get(trace::TRACEPARENT).and_then(|value| value.to_str().ok());
    let scope = trace::Scope::new(traceparent, || {
        info_span!(
            "request",
            otel.kind = "server",
            http.request.method = method.as_str(),
            http.route = tracing::field::Empty,
            http.response.status_code = tracing::field::Empty,
        )
    });
    let span = scope.span().clone();

    let answer = async {
        let response = next.call(request).await.map(|response| problems(response, &meta.id))?;
        let route = route(response.request());
        if trace::is_kept() {
            trace::rename(format!("{method} {route}"));
            span.record("http.route", &*route);
            span.record("http.response.status_code", response.status().as_u16());
        }
        observe(&method, route, response.status(), started.elapsed(), &meta.id);
        Ok::<_, Error>(response)
    };
    // Handlers and extractors answer their errors; none comes out here.
    let mut response = scope.around(answer).await?;
    if let Ok(id) = HeaderValue::from_str(&meta.id) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id);
    }
    Ok(response)
}

/// What a handler that serves many paths calls them together, for metrics and traces.
#[derive(Clone, Copy, Debug)]
pub struct RouteName(pub &'static str);

/// The pattern of a request's path, once it has been routed: what its metrics are counted by.
fn route(request: &HttpRequest) -> Cow<'static, str> {
    if let Some(RouteName(name)) = request.extensions().get() {
        return Cow::Borrowed(name);
    }
    request.match_pattern().map_or(Cow::Borrowed("unmatched"), Cow::Owned)
}

/// Errors of handlers, of extractors and of actix itself, all in one form.
fn problems(
    response: ServiceResponse<impl MessageBody + 'static>,
    request_id: &str,
) -> ServiceResponse<BoxBody> {
    let problem = match response.response().error() {
        Some(error) => problem_of(error),
        None => match response.status() {
            // No route, or none for this method: actix answers these without a body.
            StatusCode::NOT_FOUND if is_bare(response.response()) => {
                Problem::not_found(response.request().path())
            }
            StatusCode::METHOD_NOT_ALLOWED if is_bare(response.response()) => {
                codes::METHOD_NOT_ALLOWED.into()
            }
            _ => return response.map_into_boxed_body(),
        },
    };
    let kept = response.headers().clone();
    let mut answer = response.into_response(problem.response(request_id));
    // What inner layers say, unless the problem says it itself: methods that are allowed, limits.
    let said: Vec<_> = answer.headers().keys().cloned().collect();
    for (name, value) in kept.into_iter().filter(|(name, _)| !said.contains(name)) {
        answer.headers_mut().append(name, value);
    }
    answer
}

fn is_bare(response: &HttpResponse<impl MessageBody>) -> bool {
    !response.headers().contains_key(actix_web::http::header::CONTENT_TYPE)
}

fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    match error.as_response_error().status_code().as_u16() {
        404 => codes::NOT_FOUND.into(),
        405 => codes::METHOD_NOT_ALLOWED.into(),
        413 => codes::BODY_TOO_LARGE.into(),
        415 => codes::UNSUPPORTED_MEDIA_TYPE.into(),
        400..=499 => Problem::new(codes::BAD_REQUEST, error.to_string()),
        _ => {
            tracing::error!(%error, "unexpected error");
            codes::INTERNAL.into()
        }
    }
}

/// Requests whose answer has not begun.
static IN_FLIGHT: AtomicU32 = AtomicU32::new(0);

/// Counts one, for as long as somebody waits for it.
struct InFlight;

impl InFlight {
    fn new() -> Self {
        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Requests by route, method and class of status.
fn requests() -> &'static Histogram<f64> {
    static SECONDS: OnceLock<Histogram<f64>> = OnceLock::new();
    SECONDS.get_or_init(|| {
        metrics::observed(
            "http_requests_in_flight",
            "Requests whose answer has not begun.",
            Vec::new(),
            || f64::from(IN_FLIGHT.load(Ordering::Relaxed)),
        );
        metrics::seconds("http_request_seconds", "From a request's head to its answer's.")
    })
}

/// Anybody may make up methods; Prometheus would keep them all.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

fn observe(method: &Method, route: Cow<'static, str>, status: StatusCode, took: Duration, request_id: &str) {
    // A line costs more than a request: reads that went well are left to the metrics.
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is_notable = status.is_server_error() || took > SLOW;
    if is_notable || (changes && trace::is_kept()) {
        tracing::info!(
            http.request.method = %method,
            http.route = &*route,
            http.response.status_code = status.as_u16(),
            http.request.id = request_id,
            event.duration_ms = took.as_secs_f64() * 1000.0,
            "request"
        );
    }
    let (method, status) = (known(method), class(status));
    SERIES.with_borrow_mut(|series| {
        let series = series.entry((method, route, status)).or_insert_with_key(|(method, route, status)| {
            requests().bind(&[
                KeyValue::new("method", *method),
                KeyValue::new("route", route.clone()),
                KeyValue::new("status", *status),
            ])
        });
        series.record(took.as_secs_f64());
    });
}

/// Method, route and class of status.
type Labels = (&'static str, Cow<'static, str>, &'static str);

thread_local! {
    /// Those of [`requests`] that this worker has met: a few for each route.
    static SERIES: RefCell<HashMap<Labels, BoundHistogram<f64>>> = RefCell::default();
}
