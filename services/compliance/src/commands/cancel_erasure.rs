use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};
use uuid::Uuid;

use super::begin_erasure::without_names;
use crate::domain::erasure::ErasureStatus;
use crate::events;
use crate::store::erasure::{self, ErasureProgress};

/// An erasure is called off before it begins.
#[derive(Debug)]
pub struct CancelErasure(pub Uuid);

/// Why it goes on.
#[derive(Debug, thiserror::Error)]
pub enum CancelErasureError {
    #[error("there is no erasure {0}")]
    NotFound(Uuid),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

impl Refusal for CancelErasureError {}

impl Command for CancelErasure {
    type Output = ErasureProgress;
    type Refusal = CancelErasureError;

    async fn run(&self, tx: &mut Tx) -> Result<ErasureProgress, Fault<CancelErasureError>> {
        let found = erasure::lock(tx.conn(), self.0).await?;
        let mut erasure = found.ok_or(CancelErasureError::NotFound(self.0))?;
        let before = without_names(&erasure);
        let cancelled = erasure.status.become_(ErasureStatus::Cancelled);
        erasure.status = cancelled.map_err(CancelErasureError::from)?;
        tx.continue_story(erasure.correlation_id);
        erasure.hold_id = None;
        erasure.version += 1;
        erasure.updated_at = tx.now();
        erasure::update(tx.conn(), &erasure).await?;
        let entity = format!("erasure/{}", erasure.id);
        events::erasure_cancelled(tx, &erasure);
        tx.audit("erasure.cancel", entity, Some(&before), Some(&without_names(&erasure)));
        let modules = erasure::progress(tx.conn(), erasure.id).await?;
        Ok(ErasureProgress { erasure, modules })
    }
}
