//! What the gateway tells: unified and custom events, refusals, users.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{contract, sample};

/// A client reported something about a task or a user, to be scored, checked and acted upon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnifiedReceived {
    /// Id of the unified event.
    pub unified_id: Uuid,
    /// The task it is about, as the client names it.
    pub task_id: String,
    /// The user it is about, as the client names them.
    pub user_id: String,
    /// What happened, in the client's words.
    pub event_type: String,
    /// Whether the user agreed to its processing.
    pub consent_flag: bool,
    /// The client's own estimate of its worth, 0 to 1.
    pub rl_score: Option<f64>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// Whatever else the client knows.
    pub metadata: Map<String, Value>,
}

contract!(UnifiedReceived = Core "core" "unified" "received" "v1", "unified" / unified_id);

impl UnifiedReceived {
    fn canned() -> Self {
        Self {
            unified_id: sample::UNIFIED,
            task_id: "task-42".to_owned(),
            user_id: "ravi".to_owned(),
            event_type: "order_reviewed".to_owned(),
            consent_flag: true,
            rl_score: Some(0.8),
            timestamp: sample::time(),
            metadata: Map::new(),
        }
    }
}

/// A client published an event of its own kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomPublished {
    /// Id of what was published.
    pub custom_id: Uuid,
    /// What happened, in the client's words; no name of this catalogue.
    pub event_type: String,
    /// How urgent it is: `low`, `normal`, `high` or `urgent`.
    pub priority: String,
    /// Whatever the client has to say about it.
    pub payload: Map<String, Value>,
}

contract!(CustomPublished = Core "core" "custom" "published" "v1", "custom" / custom_id);

impl CustomPublished {
    fn canned() -> Self {
        Self {
            custom_id: sample::CUSTOM,
            event_type: "price_list_changed".to_owned(),
            priority: "normal".to_owned(),
            payload: Map::from_iter([("list".to_owned(), "spring".into())]),
        }
    }
}

/// A request was refused at the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccessDenied {
    /// Id of the request.
    pub request_id: String,
    /// Stable code of the problem, for example `permission_denied`.
    pub code: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// HTTP method asked for.
    pub method: String,
    /// Path asked for, without its query.
    pub path: String,
    /// Client address.
    pub address: Option<String>,
}

contract!(AccessDenied = Core "core" "access" "denied" "v1", "request" / request_id);

impl AccessDenied {
    fn canned() -> Self {
        Self {
            request_id: "3c9f".to_owned(),
            code: "permission_denied".to_owned(),
            status: 403,
            method: "POST".to_owned(),
            path: "/crm/leads".to_owned(),
            address: Some("127.0.0.1".to_owned()),
        }
    }
}

/// A user was registered or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserChanged {
    /// Id of the user.
    pub user_id: Uuid,
    /// `registered` or `updated`.
    pub change: String,
    /// Their roles after the change.
    pub roles: Vec<String>,
}

contract!(UserChanged = Core "core" "user" "changed" "v1", "user" / user_id);

impl UserChanged {
    fn canned() -> Self {
        Self { user_id: sample::USER, change: "registered".to_owned(), roles: vec!["viewer".to_owned()] }
    }
}
