//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::change_subscription::NoSubscription;
use crate::commands::make_api_key::MakeApiKeyError;
use crate::commands::patch_user::PatchUserError;
use crate::commands::receive_unified::ReceiveUnifiedError;
use crate::commands::register_agent::RegisterAgentError;
use crate::commands::register_user::RegisterUserError;
use crate::commands::remove_agent::RemoveAgentError;
use crate::commands::revoke_api_key::RevokeApiKeyError;
use crate::commands::subscribe::SubscribeError;
use crate::commands::test_subscription::TestSubscriptionError;
use crate::sessions::Away;

codes! {
    MALFORMED_PATH = "malformed_path", 400, "The path can be understood in more than one way";
    WRONG_CREDENTIALS = "wrong_credentials", 401, "E-mail address or password is wrong";
    SESSION_ENDED = "session_ended", 401, "The session has ended";
    REFRESH_TOKEN_REUSED = "refresh_token_reused", 401, "The refresh token was used before; its session has ended";
    ORIGIN_REFUSED = "origin_refused", 403, "Pages of this origin may not connect";
    CONSENT_REQUIRED = "consent_required", 403, "The person has not agreed to this";
    AGENT_OF_SOMEBODY_ELSE = "agent_of_somebody_else", 409, "Somebody else has registered this agent";
    BODY_TIMEOUT = "body_timeout", 408, "The body does not arrive in time";
    EMAIL_TAKEN = "email_taken", 409, "Somebody has registered with this e-mail address";
    TOO_MANY_KEYS = "too_many_keys", 409, "The user has as many keys as one can have";
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions", 409, "The caller may not have more subscriptions";
    SUBSCRIPTION_DISABLED = "subscription_disabled", 409, "The subscription is not enabled";
    NOT_A_USER = "not_a_user", 409, "Only users can do this";
    URI_TOO_LONG = "uri_too_long", 414, "Path and query are too long";
    RATE_LIMITED = "rate_limited", 429, "Too many requests";
    TOO_MANY_STREAMS = "too_many_streams", 429, "The caller may not have more streams open";
    LOGIN_LOCKED = "login_locked", 429, "Too many attempts to log in have failed";
    HEADERS_TOO_LARGE = "headers_too_large", 431, "There are too many headers, or they are too long";
    STREAMS_FULL = "streams_full", 503, "No more streams can be open here";
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

impl From<RegisterAgentError> for Problem {
    fn from(error: RegisterAgentError) -> Self {
        match error {
            RegisterAgentError::Taken(_) => Self::new(AGENT_OF_SOMEBODY_ELSE, error.to_string()),
        }
    }
}

impl From<RemoveAgentError> for Problem {
    fn from(error: RemoveAgentError) -> Self {
        match &error {
            RemoveAgentError::NotFound(id) => Self::not_found(format!("agent/{id}")),
            RemoveAgentError::NotYours(_) => Self::new(AGENT_OF_SOMEBODY_ELSE, error.to_string()),
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

impl From<NoSubscription> for Problem {
    fn from(error: NoSubscription) -> Self {
        Self::not_found(error)
    }
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::TooMany(_) => Self::new(TOO_MANY_SUBSCRIPTIONS, error.to_string()),
        }
    }
}

impl From<TestSubscriptionError> for Problem {
    fn from(error: TestSubscriptionError) -> Self {
        match error {
            TestSubscriptionError::NotFound(error) => error.into(),
            TestSubscriptionError::Disabled => SUBSCRIPTION_DISABLED.into(),
        }
    }
}
