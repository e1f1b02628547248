//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::patch_user::PatchUserError;
use crate::commands::receive_unified::ReceiveUnifiedError;
use crate::commands::register_agent::RegisterAgentError;
use crate::commands::register_user::RegisterUserError;
use crate::commands::remove_agent::RemoveAgentError;

codes! {
    WRONG_CREDENTIALS = "wrong_credentials", 401, "E-mail address or password is wrong";
    CONSENT_REQUIRED = "consent_required", 403, "The person has not agreed to this";
    AGENT_OF_SOMEBODY_ELSE = "agent_of_somebody_else", 409, "Somebody else has registered this agent";
    EMAIL_TAKEN = "email_taken", 409, "Somebody has registered with this e-mail address";
    RATE_LIMITED = "rate_limited", 429, "Too many requests";
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

impl From<ReceiveUnifiedError> for Problem {
    fn from(error: ReceiveUnifiedError) -> Self {
        match &error {
            ReceiveUnifiedError::NoConsent(user_id) => {
                Self::new(CONSENT_REQUIRED, error.to_string()).with("subject", user_id.as_str())
            }
        }
    }
}
