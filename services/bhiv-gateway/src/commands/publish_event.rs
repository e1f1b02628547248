use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use bhiv_types::Priority;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::custom::NewCustom;
use crate::events;

/// A client publishes an event of its own kind.
#[derive(Debug)]
pub struct PublishEvent(pub NewCustom);

/// What was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Published {
    /// The event's id.
    pub id: Uuid,
    /// What happened.
    pub event_type: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Whatever there is to say about it.
    #[schema(value_type = Object)]
    pub payload: Map<String, Value>,
    /// The causal story that it began or belongs to.
    pub correlation_id: Uuid,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

impl Command for PublishEvent {
    type Output = Published;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Published, Fault<Infallible>> {
        let custom_id = tx.id();
        let id = events::custom_published(tx, custom_id, &self.0);
        let NewCustom { event_type, payload, priority } = self.0.clone();
        let published = Published {
            id,
            event_type: event_type.name().to_owned(),
            priority,
            payload,
            correlation_id: tx.correlation(),
            created_at: tx.now(),
        };
        tx.audit("event.publish", format!("custom/{custom_id}"), None, Some(&published));
        Ok(published)
    }
}
