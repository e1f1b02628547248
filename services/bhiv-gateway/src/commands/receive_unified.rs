use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde_json::Value;

use crate::domain::unified::NewUnified;
use crate::events;
use crate::store::unified::{self, Unified};

/// A client reports something.
#[derive(Debug)]
pub struct ReceiveUnified(pub NewUnified);

/// Why it is not processed.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveUnifiedError {
    #[error(
        "{0} has not agreed to the processing of this event: send it with consent_flag true once they have"
    )]
    NoConsent(String),
}

impl Refusal for ReceiveUnifiedError {}

impl Command for ReceiveUnified {
    type Output = Unified;
    type Refusal = ReceiveUnifiedError;

    async fn run(&self, tx: &mut Tx) -> Result<Unified, Fault<ReceiveUnifiedError>> {
        let new = self.0.clone();
        if !new.consent_flag {
            return Err(ReceiveUnifiedError::NoConsent(new.user_id).into());
        }
        let mut unified = Unified {
            id: tx.id(),
            event_id: tx.id(),
            correlation_id: tx.correlation(),
            task_id: new.task_id,
            user_id: new.user_id,
            event_type: new.event_type,
            consent_flag: new.consent_flag,
            rl_score: new.rl_score,
            timestamp: new.timestamp.unwrap_or_else(|| tx.now()),
            metadata: Value::Object(new.metadata),
            created_at: tx.now(),
        };
        unified.event_id = events::unified_received(tx, &unified);
        unified::insert(tx.conn(), &unified).await?;
        tx.audit("unified.receive", format!("unified/{}", unified.id), None, Some(&unified));
        Ok(unified)
    }
}
