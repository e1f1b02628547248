//! Answers on their way through: taken up whole, given a name, kept, or not modified.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, MessageBody as _};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, EntityTag, Header as _, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, IfNoneMatch, SET_COOKIE, VARY,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use bhiv_clock::Clock;
use bhiv_web::{Problem, Result};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt as _};

use super::kept::Kept;
use super::shared::short;
use crate::domain::cache::{Directives, LARGEST};
use crate::error::MODULE_UNAVAILABLE;

/// What the cache did (RFC 9211).
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// A client may keep it for itself, and asks before it uses it.
const ASK_FIRST: HeaderValue = HeaderValue::from_static("private, no-cache");

/// An answer of a module.
pub enum Whole {
    /// One that has a name: the head and the whole body.
    Answer((HttpResponse<()>, Bytes)),
    /// Any other, as it came.
    Not(HttpResponse),
}

/// All lines of a header as one (RFC 9110, 5.2).
pub fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Cow<'a, str> {
    let lines = || headers.get_all(name).filter_map(|line| line.to_str().ok());
    // Hardly ever are there several.
    match lines().nth(1) {
        Some(_) => lines().collect::<Vec<_>>().join(",").into(),
        None => lines().next().unwrap_or_default().into(),
    }
}

/// Whether the body is JSON.
pub fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().as_bytes();
    let suffix = media_type.last_chunk::<5>();
    media_type.eq_ignore_ascii_case(b"application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"+json"))
}

/// Says what the cache did.
pub fn marked(mut answer: HttpResponse, what: &str) -> HttpResponse {
    mark(answer.headers_mut(), what);
    answer
}

fn mark(headers: &mut HeaderMap, what: &str) {
    if let Ok(value) = HeaderValue::try_from(["bhiv-gateway; ", what].concat()) {
        headers.append(CACHE_STATUS, value);
    }
}

/// Does `work` when the body has been read to its end, before whoever reads it knows.
pub fn and_then(answer: HttpResponse, work: impl Future<Output = ()> + 'static) -> HttpResponse {
    let (head, body) = answer.into_parts();
    let end = stream::once(work).filter_map(|()| async { None });
    head.set_body(BodyStream::new(chunks(Box::pin(body)).chain(end))).map_into_boxed_body()
}

type Chunk = std::result::Result<Bytes, Box<dyn std::error::Error>>;

fn chunks(mut body: Pin<Box<BoxBody>>) -> impl stream::Stream<Item = Chunk> {
    stream::poll_fn(move |context| body.as_mut().poll_next(context))
}

/// Takes up an answer that may be given a name: 200, JSON, small, and the same for whoever asks in the same way.
///
/// # Errors
/// 503 when the module breaks off.
pub async fn whole(answer: HttpResponse) -> Result<Whole> {
    if !may_be_named(answer.status(), answer.headers()) {
        return Ok(Whole::Not(answer));
    }
    let (head, body) = answer.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => return Ok(Whole::Answer((head, bytes))),
        Err(body) => body,
    };
    let mut body = Box::pin(chunks(Box::pin(body)));
    let (mut begin, mut length) = (Vec::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::warn!(%error, "a module broke off");
            Problem::new(MODULE_UNAVAILABLE, "the module broke off its answer").retry_after(5)
        })?;
        length += chunk.len();
        begin.push(chunk);
        if length > LARGEST {
            let all = stream::iter(begin.into_iter().map(Ok)).chain(body);
            return Ok(Whole::Not(head.set_body(BodyStream::new(all)).map_into_boxed_body()));
        }
    }
    Ok(Whole::Answer((head, begin.concat().into())))
}

fn may_be_named(status: StatusCode, headers: &HeaderMap) -> bool {
    let Directives { no_store, private, .. } = Directives::of(&joined(headers, &CACHE_CONTROL));
    let varies = joined(headers, &VARY);
    let in_the_key = ["", "accept", "authorization"];
    let is_in_the_key = |name: &str| in_the_key.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
    status == StatusCode::OK
        && is_json(headers)
        && !(no_store || private)
        && !headers.contains_key(SET_COOKIE)
        && !headers.contains_key(CONTENT_ENCODING)
        && varies.split(',').all(is_in_the_key)
}

/// What a client gets of an answer that the module has just given, and, if it `is_kept`, what is kept of it.
pub fn fresh(
    request: &HttpRequest,
    (mut head, body): (HttpResponse<()>, Bytes),
    why: &str,
    is_kept: bool,
    clock: &Clock,
) -> (HttpResponse, Option<Kept>) {
    let headers = head.headers_mut();
    if !headers.contains_key(ETAG)
        && let Ok(tag) =
            HeaderValue::try_from(["\"", short(&body).simple().encode_lower(&mut [0; 32]), "\""].concat())
    {
        headers.insert(ETAG, tag);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, ASK_FIRST);
    }
    let kept = is_kept.then(|| {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Kept { id: clock.id(), at: seconds(clock.now()), headers, body: body.clone() }
    });
    mark(headers, &if is_kept { format!("{why}; stored") } else { why.to_owned() });
    (conditional(request, head.set_body(body).map_into_boxed_body()), kept)
}

/// What a client gets of an answer that was kept.
pub fn kept(request: &HttpRequest, kept: &Kept, ttl: Option<Duration>, now: DateTime<Utc>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    for (name, value) in &kept.headers {
        answer.append_header((name.clone(), value.clone()));
    }
    let age = seconds(now).saturating_sub(kept.at);
    let left = ttl.unwrap_or_default().as_secs().saturating_sub(age);
    answer.insert_header((AGE, age));
    conditional(request, marked(answer.body(kept.body.clone()), &format!("hit; ttl={left}")))
}

/// 304 if the client has it already.
fn conditional(request: &HttpRequest, answer: HttpResponse) -> HttpResponse {
    if !request.headers().contains_key(IF_NONE_MATCH) {
        return answer;
    }
    let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    let Some(tag) = tag.and_then(|tag| tag.parse::<EntityTag>().ok()) else { return answer };
    let has_it = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    if !has_it {
        return answer;
    }
    let mut not_modified = HttpResponse::NotModified().finish();
    // What a 200 would have said of itself (RFC 9110, 15.4.5), and nothing of a body that is not there.
    for (name, value) in answer.headers().iter().filter(|(name, _)| **name != CONTENT_TYPE) {
        not_modified.headers_mut().append(name.clone(), value.clone());
    }
    not_modified
}

/// Since 1970.
pub fn seconds(time: DateTime<Utc>) -> u64 {
    time.timestamp().try_into().unwrap_or(0)
}
