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

tokio::task_local! {
    /// Of a request that a standby may answer: whether one does.
    static BY_STANDBY: Cell<bool>;
}

/// Whether a standby may answer what is being asked. Only within a handler of such a request.
pub(crate) fn may_be_old() -> bool {
    BY_STANDBY.try_with(|_| ()).is_ok()
}

/// A standby answers it.
pub(crate) fn is_from_standby() {
    let _ = BY_STANDBY.try_with(|by_standby| by_standby.set(true));
}

/// Reads whose caller says so may be answered by a standby, and say so if they were.
pub(crate) async fn choose(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_any = request.headers().get(READ).is_some_and(|value| value == ANY);
    if !(is_read && is_any) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let answering = async {
        let answer = next.call(request).await;
        (answer, BY_STANDBY.with(Cell::get))
    };
    let (answer, by_standby) = BY_STANDBY.scope(Cell::new(false), answering).await;
    let mut answer = answer?.map_into_boxed_body();
    if by_standby {
        answer.headers_mut().insert(HeaderName::from_static(READ), HeaderValue::from_static(STANDBY));
    }
    Ok(answer)
}
