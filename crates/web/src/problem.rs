use std::convert::Infallible;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use bhiv_auth::Permission;
use bhiv_db::Error as DbError;
use bhiv_outbox::Fault;
use bhiv_types::IllegalTransition;
use serde::Serialize;
use serde_json::{Map, Value};

/// A kind of problem: a stable code, its HTTP status, and what it means in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Stable, `snake_case`; clients tell problems apart by it.
    pub code: &'static str,
    /// HTTP status of the answer.
    pub status: u16,
    /// What it means, the same for every occurrence.
    pub title: &'static str,
}

/// Declares the codes of one part of the system, and `ALL` of them for its documentation.
#[macro_export]
macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        $(
            #[doc = $title]
            pub const $name: $crate::Code = $crate::Code { code: $code, status: $status, title: $title };
        )+

        /// Every code of this table.
        pub const ALL: &[$crate::Code] = &[$($name),+];
    };
}

/// The codes that every service answers with.
pub mod codes {
    crate::codes! {
        MALFORMED_JSON = "malformed_json", 400, "The body is not JSON";
        INVALID_IDEMPOTENCY_KEY = "invalid_idempotency_key", 400, "An Idempotency-Key is 1 to 255 visible ASCII characters";
        MALFORMED_HEADER = "malformed_header", 400, "A header cannot be read";
        BAD_REQUEST = "bad_request", 400, "The request cannot be read";
        MISSING_TOKEN = "missing_token", 401, "An access token is required";
        INVALID_TOKEN = "invalid_token", 401, "The access token is not valid";
        TOKEN_EXPIRED = "token_expired", 401, "The access token has expired";
        PERMISSION_DENIED = "permission_denied", 403, "The caller may not do this";
        NOT_FOUND = "not_found", 404, "There is no such thing";
        METHOD_NOT_ALLOWED = "method_not_allowed", 405, "The method is not allowed here";
        CONFLICT = "conflict", 409, "Another change came first";
        IDEMPOTENCY_IN_FLIGHT = "idempotency_in_flight", 409, "A request with the same Idempotency-Key is under way";
        ILLEGAL_TRANSITION = "illegal_transition", 409, "It cannot go from its state to that one";
        BODY_TOO_LARGE = "body_too_large", 413, "The body is too large";
        UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The body must be application/json";
        INVALID_INPUT = "invalid_input", 422, "The input breaks the rules of its schema";
        UNKNOWN_REFERENCE = "unknown_reference", 422, "The input refers to something that does not exist";
        IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 422, "Another request had the same Idempotency-Key";
        INTERNAL = "internal", 500, "The service made a mistake";
        UNAVAILABLE = "unavailable", 503, "The service cannot do this at the moment";
    }
}

/// One fault of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where it is: a JSON Pointer into the body, or `?name` for a query parameter.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// An answer that is a problem (RFC 9457). Every layer answers errors with it.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
    more: Map<String, Value>,
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, detail: None, errors: Vec::new(), retry_after: None, more: Map::new() }
    }
}

impl Problem {
    /// A problem of this kind.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(code) }
    }

    /// 404 for `what`, for example `lead/0190...`.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(codes::NOT_FOUND, format!("there is no {what}"))
    }

    /// 422 with all faults of the input.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::from(codes::INVALID_INPUT) }
    }

    /// 422 for an input that refers to something that is not there.
    pub fn unknown_reference(pointer: &str, what: impl fmt::Display) -> Self {
        Self::new(codes::UNKNOWN_REFERENCE, format!("there is no {what}")).at(pointer, "does not exist")
    }

    /// 403 that names the permission.
    pub fn denied(permission: Permission) -> Self {
        Self::new(codes::PERMISSION_DENIED, format!("this requires the permission {permission}"))
            .with("required_permission", permission.to_string())
    }

    /// 500. The cause goes to the log and not to the client.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "internal error");
        codes::INTERNAL.into()
    }

    /// Adds a fault of the input.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError { pointer: pointer.into(), message: message.into() });
        self
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The faults of the input.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Its kind.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The answer, which names the request.
    pub(crate) fn response(&self, request_id: &str) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        if self.code.status == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.content_type("application/problem+json").body(self.to_value(request_id).to_string())
    }

    /// Its body. `request_id` may be empty where the body is a part of an answer that names the request.
    pub(crate) fn to_value(&self, request_id: &str) -> Value {
        let mut body = Map::from_iter([
            ("type".to_owned(), format!("urn:bhiv:problem:{}", self.code.code).into()),
            ("title".to_owned(), self.code.title.into()),
            ("status".to_owned(), self.code.status.into()),
            ("code".to_owned(), self.code.code.into()),
        ]);
        if !request_id.is_empty() {
            body.insert("request_id".to_owned(), request_id.into());
        }
        if let Some(detail) = &self.detail {
            body.insert("detail".to_owned(), detail.as_str().into());
        }
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), serde_json::to_value(&self.errors).unwrap_or_default());
        }
        if let Some(seconds) = self.retry_after {
            body.insert("retry_after".to_owned(), seconds.into());
        }
        body.extend(self.more.clone());
        Value::Object(body)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(self.code.title))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// [`crate::surround`] replaces it by one that names the request.
    fn error_response(&self) -> HttpResponse {
        self.response("")
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Unavailable(_) => {
                tracing::warn!(%error, "the database is away");
                Self::new(codes::UNAVAILABLE, "the database is not available").retry_after(5)
            }
            DbError::Conflict(_) => {
                Self::new(codes::CONFLICT, "another change came first; try again").retry_after(1)
            }
            DbError::Constraint { .. } | DbError::Query(_) => Self::internal(&error),
        }
    }
}

impl From<bhiv_db::DieselError> for Problem {
    fn from(error: bhiv_db::DieselError) -> Self {
        DbError::from(error).into()
    }
}

/// A refusal becomes what the service's `error.rs` says.
impl<R: Into<Problem>> From<Fault<R>> for Problem {
    fn from(fault: Fault<R>) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            Fault::Database(error) => error.into(),
            Fault::KeyReused => codes::IDEMPOTENCY_KEY_REUSED.into(),
            Fault::InFlight => Self::from(codes::IDEMPOTENCY_IN_FLIGHT).retry_after(1),
        }
    }
}

/// A conflict that names what would have been allowed.
impl From<IllegalTransition> for Problem {
    fn from(refusal: IllegalTransition) -> Self {
        Self::new(codes::ILLEGAL_TRANSITION, refusal.to_string()).with("allowed", refusal.allowed)
    }
}

impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
