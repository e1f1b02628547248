use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use super::begin_erasure::{begin_erasure, without_names};
use crate::domain::erasure::{ErasureStatus, NewErasure};
use crate::domain::regime::Regime;
use crate::events;
use crate::store::erasure::{self, Erasure, ErasureProgress};
use crate::store::hold::{self, Hold};

/// A person is to be forgotten: at once, or after the notice that the law wants.
#[derive(Debug)]
pub struct RequestErasure {
    /// Who, and why.
    pub new: NewErasure,
    /// The law, unless the request names one.
    pub regime: Regime,
}

/// Why nobody is forgotten.
#[derive(Debug, thiserror::Error)]
pub enum RequestErasureError {
    #[error("a legal hold keeps the person's data: {}", .0.reason)]
    Held(Hold),
    #[error("the erasure {0} of that person is not complete yet")]
    UnderWay(Uuid),
}

impl Refusal for RequestErasureError {}

impl Command for RequestErasure {
    type Output = ErasureProgress;
    type Refusal = RequestErasureError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<ErasureProgress, Fault<RequestErasureError>> {
        let also = self.new.others();
        let NewErasure { subject, regime, reason, .. } = self.new.clone();
        let regime = regime.unwrap_or(self.regime);
        erasure::lock_all(tx.conn()).await?;
        tx.continue_story_of(&subject).await?;
        let now = tx.now();
        let mut erasure = Erasure {
            id: tx.id(),
            version: 1,
            subject,
            also,
            regime,
            reason,
            status: ErasureStatus::Announced,
            erase_at: now + regime.erasure_notice(),
            hold_id: None,
            requested_by: tx.actor().to_owned(),
            correlation_id: tx.correlation(),
            started_at: None,
            completed_at: None,
            created_at: now,
            updated_at: now,
        };
        if let Some(hold) = hold::standing(tx.conn(), &erasure.names()).await? {
            return Err(RequestErasureError::Held(hold).into());
        }
        if let Some(other) = erasure::under_way(tx.conn(), &erasure.names()).await? {
            return Err(RequestErasureError::UnderWay(other.id).into());
        }
        erasure::insert(tx.conn(), &erasure).await?;
        let entity = format!("erasure/{}", erasure.id);
        tx.audit("erasure.request", entity, None, Some(&without_names(&erasure)));
        if erasure.erase_at <= now {
            begin_erasure(tx, &mut erasure).await?;
        } else {
            events::erasure_announced(tx, &erasure);
        }
        let modules = erasure::progress(tx.conn(), erasure.id).await?;
        Ok(ErasureProgress { erasure, modules })
    }
}
