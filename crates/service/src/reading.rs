//! Which requests may be answered by a standby of the database.

use std::cell::Cell;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;

/// In a request: `any`, when it need not see the newest writes. In an answer: `standby`, when it may lack some.
pub const READ: &str = "bhiv-read";
/// What the answer says of a standby.
pub const STANDBY: &str = "standby";
const ANY: &str = "any";

/// What a request asks for, and what became of it.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Primary,
    Any,
    Standby,
}

tokio::task_local! {
    static FROM: Cell<From>;
}

/// Whether a standby may answer what is being asked. Only within a handler of such a request.
pub(crate) fn may_be_old() -> bool {
    FROM.try_with(|from| from.get() != From::Primary).unwrap_or(false)
}

/// A standby answers it.
pub(crate) fn is_from_standby() {
    let _ = FROM.try_with(|from| from.set(From::Standby));
}

/// Reads whose caller says so may be answered by a standby, and say so if they were.
pub(crate) async fn choose(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_any = request.headers().get(READ).is_some_and(|value| value == ANY);
    let from = if is_read && is_any { From::Any } else { From::Primary };
    let answering = async {
        let answer = next.call(request).await;
        (answer, FROM.try_with(Cell::get).unwrap_or(From::Primary))
    };
    let (answer, from) = FROM.scope(Cell::new(from), answering).await;
    let mut answer = answer?.map_into_boxed_body();
    if from == From::Standby {
        answer.headers_mut().insert(HeaderName::from_static(READ), HeaderValue::from_static(STANDBY));
    }
    Ok(answer)
}
