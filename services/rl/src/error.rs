//! What each refusal of a command is to an HTTP client.

use bhiv_web::Problem;

use crate::commands::decide::DecideError;
use crate::commands::record_outcome::RecordOutcomeError;

bhiv_web::codes! {
    NO_CANDIDATES = "no_candidates", 422, "There is nothing to choose among";
    UNKNOWN_KIND = "unknown_kind", 422, "There is no such kind of decision";
    OUTCOME_EXISTS = "outcome_exists", 409, "The decision has its outcome already";
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
        }
    }
}

impl From<RecordOutcomeError> for Problem {
    fn from(error: RecordOutcomeError) -> Self {
        match error {
            RecordOutcomeError::NotFound(id) => Self::not_found(format!("decision/{id}")),
            RecordOutcomeError::Exists(_) => Self::new(OUTCOME_EXISTS, error.to_string()),
        }
    }
}
