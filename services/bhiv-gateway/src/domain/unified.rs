use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Something that a client reports about a task or a user, to be scored, checked and acted upon.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUnified {
    /// The task it is about, as the client names it.
    #[schema(min_length = 1, max_length = 200)]
    pub task_id: String,
    /// The user it is about, as the client names them.
    #[schema(min_length = 1, max_length = 200)]
    pub user_id: String,
    /// What happened, in the client's words.
    #[schema(min_length = 1, max_length = 100)]
    pub event_type: String,
    /// Whether the user agreed to its processing; without it, nothing is processed.
    pub consent_flag: bool,
    /// The client's own estimate of its worth.
    #[schema(minimum = 0, maximum = 1)]
    pub rl_score: Option<f64>,
    /// When it happened; now, unless it says otherwise.
    pub timestamp: Option<DateTime<Utc>>,
    /// Whatever else the client knows.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// What the modules are expected to make of a unified event.
pub const EXPECTED: [&str; 3] = ["event_scored", "compliance_checked", "workflow_triggered"];
