use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a question.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ApprovalStatus {
    /// Nobody has said anything yet.
    Pending,
    /// Somebody agreed: the run went on.
    Approved,
    /// Somebody did not: the run ended.
    Rejected,
    /// Nobody said anything in time, which ends the run too.
    Expired,
    /// The run was cancelled.
    Withdrawn,
}

/// What somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Answer {
    /// It goes on.
    Approved,
    /// It ends.
    Rejected,
}

impl Answer {
    /// What becomes of the question.
    pub fn status(self) -> ApprovalStatus {
        match self {
            Self::Approved => ApprovalStatus::Approved,
            Self::Rejected => ApprovalStatus::Rejected,
        }
    }
}

/// What somebody says to a question, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What they say.
    pub decision: Answer,
    /// In their words.
    #[schema(min_length = 1, max_length = 4000)]
    pub comment: Option<String>,
}
