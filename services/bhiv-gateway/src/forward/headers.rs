//! Which headers go to a module, and which come back.

use actix_web::http::header::HeaderMap;
use actix_web::http::uri::Authority;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage as _, HttpRequest};
use bhiv_service::READ;
use bhiv_telemetry::trace;
use bhiv_web::{REQUEST_ID, RequestMeta};
use hyper::header::{HeaderMap as ModuleHeaders, HeaderName, HeaderValue};

use crate::limits::{Client, Limits};

/// How long the answer may take, in seconds: what the client says, and what is left of it for the module.
pub const REQUEST_TIMEOUT: &str = "request-timeout";

/// Headers of one connection (RFC 9110, 7.6.1), those that the client library makes itself, and what tells where a
/// request comes from: only the gateway says that to a module.
const NOT_PASSED_ON: [&str; 18] = [
    READ,
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    REQUEST_TIMEOUT,
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded",
    "x-real-ip",
];

/// What a module is told with a request.
pub fn to_module(request: &HttpRequest, limits: &Limits) -> ModuleHeaders {
    let mut headers = ModuleHeaders::with_capacity(request.headers().len() + 8);
    let mut values = Values::default();
    let named = named_in(lines(request.headers()));
    for (name, value) in request.headers() {
        if is_passed_on(name.as_str(), &named) {
            append(&mut headers, name.as_str(), values.of(value.as_bytes()));
        }
    }
    if let Some(RequestMeta { id }) = request.extensions().get() {
        set(&mut headers, const { HeaderName::from_static(REQUEST_ID) }, values.of(id.as_bytes()));
    }
    if let Some(traceparent) = trace::current() {
        let traceparent = values.of(traceparent.as_bytes());
        set(&mut headers, const { HeaderName::from_static(trace::TRACEPARENT) }, traceparent);
    }
    tell_origin(&mut headers, request, limits, &mut values);
    headers
}

/// Values of headers in one piece of memory: each by itself would be allocated, and once more when it is copied for
/// another attempt.
struct Values(BytesMut);

impl Default for Values {
    fn default() -> Self {
        Self(BytesMut::with_capacity(2048))
    }
}

impl Values {
    fn of(&mut self, bytes: &[u8]) -> Bytes {
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }
}

/// What a client is told with a module's answer.
pub fn to_client(headers: &ModuleHeaders) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    let named = named_in(headers.get_all("connection").iter().filter_map(|value| value.to_str().ok()));
    headers.iter().filter(move |(name, _)| {
        let name = name.as_str();
        // The request's id is set by the outermost layer; other sites are let in by the gateway alone.
        is_passed_on(name, &named) && name != REQUEST_ID && !name.starts_with("access-control-")
    })
}

/// `Forwarded` (RFC 7239): one entry, which the gateway vouches for.
fn tell_origin(headers: &mut ModuleHeaders, request: &HttpRequest, limits: &Limits, values: &mut Values) {
    let from_proxy = request.peer_addr().is_some_and(|peer| limits.trusts(peer.ip()));
    let said = |name: &str| {
        let value = request.headers().get(name).filter(|_| from_proxy)?;
        value.to_str().ok()?.rsplit(',').next().map(str::trim)
    };
    let proto = said("x-forwarded-proto").filter(|proto| matches!(*proto, "http" | "https"));
    let host = said("x-forwarded-host").or_else(|| host(request)).filter(|host| is_host(host));
    let mut forwarded = String::with_capacity(96);
    if let Some(Client(address)) = request.extensions().get() {
        let (begin, end) = if address.is_ipv6() { ("for=\"[", "]\";") } else { ("for=", ";") };
        forwarded.extend([begin, &address.to_string(), end]);
    }
    forwarded.extend(["proto=", proto.unwrap_or("http")]);
    if let Some(host) = host {
        forwarded.extend([";host=\"", host, "\""]);
    }
    set(headers, const { HeaderName::from_static("forwarded") }, values.of(forwarded.as_bytes()));
}

/// The host that the client asks for: an absolute target counts more than the header (RFC 9112, 3.2.2).
fn host(request: &HttpRequest) -> Option<&str> {
    let target = request.uri().authority().map(Authority::as_str);
    target.or_else(|| request.headers().get("host")?.to_str().ok())
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

fn lines(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all("connection").filter_map(|value| value.to_str().ok())
}

/// The headers that `Connection` names.
fn named_in<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

fn is_passed_on(name: &str, named: &[String]) -> bool {
    !NOT_PASSED_ON.contains(&name)
        && !name.starts_with("x-forwarded-")
        && !named.iter().any(|hop| hop == name)
}

/// Sets a header. What cannot be one is left out.
pub fn set(headers: &mut ModuleHeaders, name: HeaderName, value: impl Into<Bytes>) {
    // A value takes over its bytes, and copies others.
    if let Ok(value) = HeaderValue::from_maybe_shared::<Bytes>(value.into()) {
        headers.insert(name, value);
    }
}

fn append(headers: &mut ModuleHeaders, name: &str, value: Bytes) {
    let name = HeaderName::from_bytes(name.as_bytes());
    let value = HeaderValue::from_maybe_shared(value);
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_one_connection_stay_there() {
        let named = named_in(std::iter::once("close, X-Secret"));
        assert!(is_passed_on("authorization", &named));
        for name in ["connection", "transfer-encoding", "x-secret", "x-forwarded-port", "forwarded"] {
            assert!(!is_passed_on(name, &named), "{name}");
        }
    }
}
