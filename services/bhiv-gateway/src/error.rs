//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::patch_user::PatchUserError;
use crate::commands::receive_unified::ReceiveUnifiedError;
use crate::commands::register_user::RegisterUserError;

codes! {
    MALFORMED_PATH = "malformed_path", 400, "The path can be understood in more than one way";
    WRONG_CREDENTIALS = "wrong_credentials", 401, "E-mail address or password is wrong";
    CONSENT_REQUIRED = "consent_required", 403, "The person has not agreed to this";
    BODY_TIMEOUT = "body_timeout", 408, "The body does not arrive in time";
    EMAIL_TAKEN = "email_taken", 409, "Somebody has registered with this e-mail address";
    URI_TOO_LONG = "uri_too_long", 414, "Path and query are too long";
    RATE_LIMITED = "rate_limited", 429, "Too many requests";
    HEADERS_TOO_LARGE = "headers_too_large", 431, "There are too many headers, or they are too long";
    MODULE_UNAVAILABLE = "module_unavailable", 503, "The module does not answer";
    MODULE_TIMEOUT = "module_timeout", 504, "The module takes too long";
}

impl From<RegisterUserError> for Problem {
    fn from(error: RegisterUserError) -> Self {
        match error {
            RegisterUserError::EmailTaken => Self::new(EMAIL_TAKEN, error.to_string()),
        }
    }
}

impl From<PatchUserError> for Problem {
    fn from(error: PatchUserError) -> Self {
        match error {
            PatchUserError::NotFound(id) => Self::not_found(format!("user/{id}")),
        }
    }
}

impl From<ReceiveUnifiedError> for Problem {
    fn from(error: ReceiveUnifiedError) -> Self {
        match &error {
            ReceiveUnifiedError::NoConsent(user_id) => {
                Self::new(CONSENT_REQUIRED, error.to_string()).with("subject", user_id.as_str())
            }
        }
    }
}
