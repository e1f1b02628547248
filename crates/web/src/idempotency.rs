//! `Idempotency-Key`: what a client repeats is recognised by it.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};
use aws_lc_rs::digest::{Context, SHA256};
use bhiv_outbox::Idempotency;
use serde_json::Value;

use crate::input::body_problem;
use crate::problem::codes;
use crate::{Picture, Problem};

/// The client's name for a request.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Says `true` when the answer is that of an earlier request.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";

/// Reads the key for [`crate::Can`] and [`crate::Public`], whose commands are run once per key, and says in the
/// answer if it is a repetition's. A request without a key passes untouched. 400 for a key that is none, 413 for
/// a body that is too large.
pub(crate) async fn recognise(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let idempotency = match of(&mut request).await {
        Ok(idempotency) => idempotency,
        Err(problem) => return Ok(request.error_response(problem)),
    };
    let mut response = next.call(request).await?.map_into_boxed_body();
    if idempotency.is_some_and(|idempotency| idempotency.was_replayed()) {
        let name = HeaderName::from_static(IDEMPOTENCY_REPLAYED);
        response.headers_mut().insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Reads the body to the end and puts it back for the handler.
async fn of(request: &mut ServiceRequest) -> Result<Option<Idempotency>, Problem> {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = read(key)?;
    let body = whole(request).await?;
    let idempotency = Idempotency::new(key, fingerprint(request, &body));
    request.set_payload(Payload::from(body));
    request.extensions_mut().insert(idempotency.clone());
    Ok(Some(idempotency))
}

/// The body, if it is no larger than handlers take it: pictures may be larger than the rest.
async fn whole(request: &mut ServiceRequest) -> Result<web::Bytes, Problem> {
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(|value| value.starts_with("image/")) {
        return request.extract::<web::Bytes>().await.map_err(|error| body_problem(&error));
    }
    let body = request.extract::<web::Payload>().await.map_err(|error| body_problem(&error))?;
    let body = body.to_bytes_limited(Picture::MOST).await;
    let body = body.map_err(|_| Problem::from(codes::BODY_TOO_LARGE))?;
    body.map_err(|error| body_problem(&error))
}

fn read(key: &HeaderValue) -> Result<String, Problem> {
    let key = key.to_str().unwrap_or_default();
    let is_key = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key { Ok(key.to_owned()) } else { Err(codes::INVALID_IDEMPOTENCY_KEY.into()) }
}

/// SHA-256 of method, path with query, and body.
fn fingerprint(request: &ServiceRequest, body: &[u8]) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    hash.update(request.method().as_str().as_bytes());
    hash.update(&[0]);
    hash.update(request.uri().path_and_query().map_or("", |path| path.as_str()).as_bytes());
    hash.update(&[0]);
    hash.update(&canonical(body));
    hash.finish().as_ref().to_vec()
}

/// The body as RFC 8785 (JCS) writes it, so that the order of members and the spaces between them do not count;
/// as it came if it is no JSON.
fn canonical(body: &[u8]) -> Vec<u8> {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    value.and_then(|value| serde_json_canonicalizer::to_vec(&value).ok()).unwrap_or_else(|| body.to_vec())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn hash(path: &str, body: &str) -> Vec<u8> {
        fingerprint(&TestRequest::post().uri(path).to_srv_request(), body.as_bytes())
    }

    #[test]
    fn order_and_spaces_do_not_count_and_everything_else_does() {
        let one = hash("/a?b=1", r#"{"x": 1.0, "y": [1, 2]}"#);
        assert_eq!(one, hash("/a?b=1", r#"{"y":[1,2],"x":1}"#));
        for (path, body) in [
            ("/a?b=1", r#"{"x": 1, "y": [2, 1]}"#),
            ("/a?b=1", r#"{"x": 2, "y": [1, 2]}"#),
            ("/a?b=2", r#"{"x": 1, "y": [1, 2]}"#),
            ("/c?b=1", r#"{"x": 1, "y": [1, 2]}"#),
            ("/a?b=1", "no JSON"),
        ] {
            assert_ne!(one, hash(path, body), "{path} {body}");
        }
    }

    #[test]
    fn a_key_is_short_visible_text() {
        assert!(read(&HeaderValue::from_static("4b7e-1")).is_ok());
        for bad in ["", "a b", "\u{e4}", &"x".repeat(256)] {
            assert!(read(&HeaderValue::from_str(bad).unwrap()).is_err(), "{bad}");
        }
    }
}
