//! What each refusal of a command is to an HTTP client.

use bhiv_web::{FieldError, Problem};
use serde_json::json;

use crate::commands::change_mode::ChangeModeError;
use crate::commands::create_policy::PolicyError;
use crate::commands::decide::DecideError;
use crate::commands::lift_verdict::NoSuchVerdict;
use crate::commands::record_outcome::RecordOutcomeError;

bhiv_web::codes! {
    ALL_MASKED = "all_masked", 409, "Every candidate is forbidden";
    DECISION_CLOSED = "decision_closed", 409, "The outcome of the decision is waited for no longer";
    NO_CANDIDATES = "no_candidates", 422, "There is nothing to choose among";
    OUTCOME_EXISTS = "outcome_exists", 409, "The decision has its outcome already";
    PERSON_ERASED = "person_erased", 409, "The person was erased";
    POLICY_EXISTS = "policy_exists", 409, "There is such a kind of decision already";
    POLICY_STANDS = "policy_stands", 409, "The policy stands so already";
    UNKNOWN_KIND = "unknown_kind", 422, "There is no such kind of decision";
    UNKNOWN_PART = "unknown_part", 422, "Such decisions are not rewarded for that";
    UNKNOWN_VERSION = "unknown_version", 422, "The policy has no such version on record";
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        let detail = error.to_string();
        match error {
            DecideError::UnknownKind { known, .. } => {
                Self::new(UNKNOWN_KIND, detail).at("/kind", "does not exist").with("kinds", known)
            }
            DecideError::NoCandidates(_) => {
                Self::new(NO_CANDIDATES, detail).at("/candidates", "must not be empty")
            }
            DecideError::Erased => Self::new(PERSON_ERASED, detail),
            DecideError::AllMasked(masks) => Self::new(ALL_MASKED, detail).with("masks", json!(masks)),
        }
    }
}

impl From<RecordOutcomeError> for Problem {
    fn from(error: RecordOutcomeError) -> Self {
        let detail = error.to_string();
        match error {
            RecordOutcomeError::NotFound(id) => Self::not_found(format!("decision/{id}")),
            RecordOutcomeError::Exists(_) => Self::new(OUTCOME_EXISTS, detail),
            RecordOutcomeError::PartExists { part, .. } => {
                Self::new(OUTCOME_EXISTS, detail).at(format!("/parts/{}", escaped(&part)), "is known already")
            }
            RecordOutcomeError::Closed(_) => Self::new(DECISION_CLOSED, detail),
            RecordOutcomeError::UnknownPart { part, known } => Self::new(UNKNOWN_PART, detail)
                .at(format!("/parts/{}", escaped(&part)), "does not count")
                .with("parts", known),
            RecordOutcomeError::Unclear => {
                Self::invalid(vec![FieldError { pointer: "/reward".to_owned(), message: detail }])
            }
        }
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        let detail = error.to_string();
        match error {
            PolicyError::NotFound(kind) => Self::not_found(format!("policy/{kind}")),
            PolicyError::Exists(_) => Self::new(POLICY_EXISTS, detail).at("/kind", "exists already"),
            PolicyError::Settings(faults) => {
                let at = |fault: crate::domain::settings::Fault| FieldError {
                    pointer: format!("/settings{}", fault.pointer),
                    message: fault.message,
                };
                Self::invalid(faults.into_iter().map(at).collect())
            }
            PolicyError::Prior(name) => Self::invalid(vec![FieldError {
                pointer: format!("/prior/{}", escaped(&name)),
                message: detail,
            }]),
        }
    }
}

impl From<ChangeModeError> for Problem {
    fn from(error: ChangeModeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeModeError::NotFound(kind) => Self::not_found(format!("policy/{kind}")),
            ChangeModeError::Live(_) | ChangeModeError::Apprentice(_) => Self::new(POLICY_STANDS, detail),
            ChangeModeError::UnknownVersion { .. } => {
                Self::new(UNKNOWN_VERSION, detail).at("/version", "is not on record")
            }
        }
    }
}

impl From<NoSuchVerdict> for Problem {
    fn from(NoSuchVerdict(check_id): NoSuchVerdict) -> Self {
        Self::not_found(format!("verdict/{check_id}"))
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
