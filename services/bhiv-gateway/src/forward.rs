//! Forwards a request to its module and streams the answer back. [`send`] is the one way to ask a module.

mod body;
mod client;
mod headers;
mod send;

use std::time::Duration;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder};
use bhiv_web::{Problem, Result, codes, not_allowed};
use futures_util::{TryStreamExt as _, stream};
use http_body_util::BodyDataStream;
use hyper::header::{CONTENT_LENGTH, HeaderName};
use hyper::{Method, StatusCode};
use tokio::time::{Instant, timeout, timeout_at};

pub use body::{Body, has_body, length, paced, until};
pub use client::{Client, Clients, whole};
pub use send::{Deadline, Parcel, send};

use crate::config::ForwardSettings;
use crate::domain::bodies::{self, SMALL};
use crate::domain::openapi::alias;
use crate::error::{BODY_TIMEOUT, MODULE_TIMEOUT, MODULE_UNAVAILABLE};
use crate::limits::Limits;
use crate::modules::Modules;
use crate::recent::Recent;

/// Noted in a request whose answer may lack nothing, because it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Newest;

/// Every path that the gateway has no handler of its own for.
pub async fn forward(
    request: HttpRequest,
    body: Payload,
    modules: Data<Modules>,
    client: Data<Client>,
) -> Result<HttpResponse> {
    if let Some(alias) = alias(request.path())
        && !request.method().as_str().eq_ignore_ascii_case(alias.method)
    {
        // It stands for this operation, and not for all that its module has there.
        return Ok(not_allowed(&alias.method.to_ascii_uppercase()));
    }
    let (module, path) = modules.owner(request.path()).ok_or_else(|| Problem::not_found(request.path()))?;
    let state = request.app_data::<Data<ForwardSettings>>().zip(request.app_data::<Data<Limits>>());
    let (settings, limits) = state.ok_or(codes::INTERNAL)?;
    let deadline = deadline(&request, settings.module_timeout())?;
    let has_key = request.headers().contains_key("idempotency-key");
    let reading = Body::of(request.headers(), body, has_key);
    let mut headers = headers::to_module(&request, limits);
    if let Some(recent) = request.app_data::<Data<Recent>>()
        && request.method() == Method::GET.as_str()
        && !request.extensions().contains::<Newest>()
        && recent.may_lag(&request).await
    {
        headers::set(&mut headers, const { HeaderName::from_static(bhiv_service::READ) }, "any");
    }
    let parcel = Parcel {
        method: request.method().as_str().parse().map_err(|_| codes::BAD_REQUEST)?,
        target: match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        },
        headers,
        body: match deadline {
            Deadline::Wanted(at) | Deadline::Usual(at) => {
                timeout_at(at, reading).await.map_err(|_| BODY_TIMEOUT)??
            }
            Deadline::AfterBody(_) => reading.await?,
        },
        deadline,
    };
    let answer = send(&client, module, parcel).await?;
    let most =
        bodies::is_export(request.method().as_str(), request.path()).then(|| settings.export_timeout());
    respond(answer, module.name, &request, settings.body_idle(), most).await
}

/// When the client, or else the gateway, wants an answer.
fn deadline(request: &HttpRequest, most: Duration) -> Result<Deadline> {
    let Some(wanted) = request.headers().get(headers::REQUEST_TIMEOUT) else {
        let is_upload = bodies::is_upload(request.method().as_str(), request.path());
        return Ok(if is_upload {
            Deadline::AfterBody(most)
        } else {
            Deadline::Usual(Instant::now() + most)
        });
    };
    let wanted =
        wanted.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|seconds| *seconds > 0.0);
    let wanted = wanted.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        Problem::new(codes::MALFORMED_HEADER, "Request-Timeout must be a number of seconds above 0")
    })?;
    let now = Instant::now();
    Ok(if wanted < most { Deadline::Wanted(now + wanted) } else { Deadline::Usual(now + most) })
}

/// A module's answer, as an answer to `request`. Where nothing comes of it for `idle`, or it takes longer than `most`, it
/// is cut.
async fn respond(
    answer: client::Answer,
    module: &'static str,
    request: &HttpRequest,
    idle: Duration,
    most: Option<Duration>,
) -> Result<HttpResponse> {
    let status = answer.status();
    let mut response = HttpResponseBuilder::new(
        actix_web::http::StatusCode::from_u16(status.as_u16()).map_err(|_| codes::INTERNAL)?,
    );
    for (name, value) in headers::to_client(answer.headers()) {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    let length = answer.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if request.method() == Method::HEAD.as_str() {
        // It has no body, and says how long it would be.
        return Ok(match length {
            Some(length) => {
                response.body(SizedStream::new(length, stream::empty::<std::io::Result<Bytes>>()))
            }
            None => response.body(()),
        });
    }
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Ok(response.body(()));
    }
    if length.is_some_and(|length| length <= SMALL) {
        // Its head and its body go on together, and a module that breaks off is told of.
        return match timeout(idle, whole(answer.into_body())).await {
            Ok(Ok(body)) => Ok(response.body(body)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a module broke off");
                let problem = Problem::new(MODULE_UNAVAILABLE, format!("{module} broke off its answer"));
                Err(problem.with("module", module).retry_after(5))
            }
            Err(_) => {
                let problem =
                    Problem::new(MODULE_TIMEOUT, format!("{module} stopped in the middle of its answer"));
                Err(problem.with("module", module))
            }
        };
    }
    let chunks = BodyDataStream::new(answer.into_body()).map_err(std::io::Error::other);
    let body = paced(chunks, idle, || {
        tracing::warn!("a module stopped in the middle of its answer");
        std::io::ErrorKind::TimedOut.into()
    });
    let body = until(body, most.map(|most| Instant::now() + most), || {
        tracing::warn!("an export took too long");
        std::io::ErrorKind::TimedOut.into()
    });
    Ok(match length {
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.body(BodyStream::new(body)),
    })
}
