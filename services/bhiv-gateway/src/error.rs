//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::make_api_key::MakeApiKeyError;
use crate::commands::patch_user::PatchUserError;
use crate::commands::receive_unified::ReceiveUnifiedError;
use crate::commands::register_user::RegisterUserError;
use crate::commands::revoke_api_key::RevokeApiKeyError;
use crate::sessions::Away;

codes! {
    MALFORMED_PATH = "malformed_path", 400, "The path can be understood in more than one way";
    WRONG_CREDENTIALS = "wrong_credentials", 401, "E-mail address or password is wrong";
    SESSION_ENDED = "session_ended", 401, "The session has ended";
    REFRESH_TOKEN_REUSED = "refresh_token_reused", 401, "The refresh token was used before; its session has ended";
    CONSENT_REQUIRED = "consent_required", 403, "The person has not agreed to this";
    BODY_TIMEOUT = "body_timeout", 408, "The body does not arrive in time";
    EMAIL_TAKEN = "email_taken", 409, "Somebody has registered with this e-mail address";
    TOO_MANY_KEYS = "too_many_keys", 409, "The user has as many keys as one can have";
    NOT_A_USER = "not_a_user", 409, "Only users can do this";
    URI_TOO_LONG = "uri_too_long", 414, "Path and query are too long";
    RATE_LIMITED = "rate_limited", 429, "Too many requests";
    LOGIN_LOCKED = "login_locked", 429, "Too many attempts to log in have failed";
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

impl From<MakeApiKeyError> for Problem {
    fn from(error: MakeApiKeyError) -> Self {
        let code = match error {
            MakeApiKeyError::NoUser(_) => NOT_A_USER,
            MakeApiKeyError::TooMany => TOO_MANY_KEYS,
            MakeApiKeyError::Expired => {
                return Self::from(codes::INVALID_INPUT).at("/expires_at", "must be in the future");
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<RevokeApiKeyError> for Problem {
    fn from(error: RevokeApiKeyError) -> Self {
        match error {
            RevokeApiKeyError::NotFound(id) => Self::not_found(format!("key/{id}")),
        }
    }
}

/// Sessions are in Redis alone.
impl From<Away> for Problem {
    fn from(_: Away) -> Self {
        Self::new(codes::UNAVAILABLE, "sessions are not available").retry_after(5)
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
