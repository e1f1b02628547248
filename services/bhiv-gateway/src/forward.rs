//! Forwards a request to its module and streams the answer back.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bhiv_telemetry::trace;
use bhiv_web::{Problem, REQUEST_ID, RequestMeta, Result, codes};
use futures_util::StreamExt as _;
use reqwest::Client;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::error::{MODULE_TIMEOUT, MODULE_UNAVAILABLE};
use crate::modules::{Module, Modules};

/// Largest body that is passed on, in bytes. The module may take less.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A module that has not begun to answer by then has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// Headers of one connection (RFC 9110, 7.6.1), and those that the client library makes itself.
const NOT_PASSED_ON: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A client for modules, one for each worker: it keeps connections open.
pub fn client() -> Client {
    let client = Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .redirect(reqwest::redirect::Policy::none())
        .build();
    client.unwrap_or_else(|error| {
        tracing::error!(%error, "the client for modules has its defaults");
        Client::new()
    })
}

/// Every path that the gateway has no handler of its own for.
pub async fn forward(
    request: HttpRequest,
    body: Payload,
    modules: Data<Modules>,
    client: Data<Client>,
) -> Result<HttpResponse> {
    let (module, path) = modules.owner(request.path()).ok_or_else(|| Problem::not_found(request.path()))?;
    let url = match request.uri().query() {
        Some(query) => format!("{}{path}?{query}", module.url),
        None => format!("{}{path}", module.url),
    };
    let mut outgoing =
        client.request(request.method().as_str().parse().map_err(|_| codes::BAD_REQUEST)?, url);
    outgoing = outgoing.headers(headers_in(&request));
    if has_body(request.headers()) {
        outgoing = outgoing.body(stream(body));
    }
    let Ok(answer) = tokio::time::timeout(DEADLINE, outgoing.send()).await else {
        let detail = format!("{} has not answered within {} s", module.name, DEADLINE.as_secs());
        return Err(Problem::new(MODULE_TIMEOUT, detail).with("module", module.name));
    };
    let answer = answer.map_err(|error| unavailable(module, &error))?;
    let mut response = HttpResponseBuilder::new(
        actix_web::http::StatusCode::from_u16(answer.status().as_u16()).map_err(|_| codes::INTERNAL)?,
    );
    for (name, value) in answer.headers() {
        if is_passed_on(name.as_str()) && name.as_str() != REQUEST_ID {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    Ok(response.streaming(answer.bytes_stream()))
}

/// 503 that names the module. The others are not concerned.
pub fn unavailable(module: &Module, error: &reqwest::Error) -> Problem {
    tracing::warn!(module = module.name, %error, "a module does not answer");
    Problem::new(MODULE_UNAVAILABLE, format!("{} does not answer", module.name))
        .with("module", module.name)
        .retry_after(5)
}

fn headers_in(request: &HttpRequest) -> reqwest::header::HeaderMap {
    let mut headers = reqwest::header::HeaderMap::new();
    for (name, value) in request.headers() {
        if is_passed_on(name.as_str()) {
            insert(&mut headers, name.as_str(), value.as_bytes());
        }
    }
    insert(&mut headers, REQUEST_ID, RequestMeta::of(request).id.as_bytes());
    if let Some(traceparent) = trace::current() {
        insert(&mut headers, trace::TRACEPARENT, traceparent.as_bytes());
    }
    headers
}

fn insert(headers: &mut reqwest::header::HeaderMap, name: &str, value: &[u8]) {
    let name = reqwest::header::HeaderName::from_bytes(name.as_bytes());
    let value = reqwest::header::HeaderValue::from_bytes(value);
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.insert(name, value);
    }
}

fn is_passed_on(name: &str) -> bool {
    !NOT_PASSED_ON.contains(&name)
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key("transfer-encoding")
        || headers.get("content-length").is_some_and(|length| length != "0")
}

/// Actix reads a body on its worker's thread; the client wants one that may go to any.
fn stream(mut body: Payload) -> reqwest::Body {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(4);
    actix_web::rt::spawn(async move {
        let mut length = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(std::io::Error::other).and_then(|chunk| {
                length += chunk.len();
                if length > MAX_BODY {
                    Err(std::io::Error::other("the body is too large"))
                } else {
                    Ok(chunk)
                }
            });
            let is_last = chunk.is_err();
            if sender.send(chunk).await.is_err() || is_last {
                return;
            }
        }
    });
    reqwest::Body::wrap_stream(ReceiverStream::new(receiver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_stay_there() {
        assert!(is_passed_on("authorization"));
        assert!(!is_passed_on("connection"));
        assert!(!is_passed_on("transfer-encoding"));
    }
}
