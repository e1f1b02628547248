//! Problems that only logging answers.

use bhiv_web::{Problem, codes};

use crate::commands::save_search::SaveSearchError;

codes! {
    SIGNING_KEY_MISSING = "signing_key_missing", 503, "No key is configured that checkpoints are signed with";
    NO_CHECKPOINT = "no_checkpoint", 404, "No checkpoint was signed yet";
    NOT_NUMBERED = "not_numbered", 409, "The row has no place in the tree yet";
    NOT_AN_AUDIT_ROW = "not_an_audit_row", 409, "Only audit rows are in the tree";
    SEARCH_NOT_UNDERSTOOD = "search_not_understood", 422, "The search does not parse";
    SEARCH_NAME_TAKEN = "search_name_taken", 409, "Another search of the same person is called so";
    NO_PROOF = "no_proof", 422, "Nothing can be proved of these sizes";
}

/// 503 that names the setting.
pub fn signing_key_missing() -> Problem {
    Problem::new(SIGNING_KEY_MISSING, "set LOGGING_SIGNING_KEY_FILE to a key that `bhiv keys` made")
        .with("setting", "LOGGING_SIGNING_KEY_FILE")
}

impl From<SaveSearchError> for Problem {
    fn from(error: SaveSearchError) -> Self {
        match error {
            SaveSearchError::NotFound(id) => Self::not_found(format!("search/{id} of yours")),
            SaveSearchError::NameTaken(_) => {
                Self::new(SEARCH_NAME_TAKEN, error.to_string()).at("/name", "is taken")
            }
        }
    }
}
