use std::convert::Infallible;

use bhiv_events::{PersonErased, Producer};
use bhiv_outbox::{Command, Fault, Tx};

use super::work_on_duty::fulfil_of_erasure;
use crate::domain::erasure::{AllKept, AllRemoved, ErasureStatus};
use crate::events;
use crate::store::erasure::{self, ErasureAnswer};

/// A module says that it erased a person. When it is the last one, the erasure is complete.
#[derive(Debug)]
pub struct TakeAnswer {
    /// Which module.
    pub module: Producer,
    /// What it says.
    pub answer: PersonErased,
}

impl Command for TakeAnswer {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let PersonErased { erasure_id, removed, kept, .. } = self.answer.clone();
        let Some(mut erasure) = erasure::lock(tx.conn(), erasure_id).await? else {
            tracing::warn!(%erasure_id, module = self.module.prefix(), "it answered to an erasure that is not there");
            return Ok(());
        };
        let answer = ErasureAnswer {
            erasure_id,
            module: self.module.prefix().to_owned(),
            removed: AllRemoved(removed.into_iter().map(events::heard_removed).collect()),
            kept: AllKept(kept.into_iter().map(events::heard_kept).collect()),
            answered_at: tx.now(),
        };
        let is_first = erasure::answer(tx.conn(), &answer).await?;
        let modules = erasure::progress(tx.conn(), erasure_id).await?;
        let is_open = modules.iter().any(|module| module.answered_at.is_none());
        if !is_first || is_open || erasure.status != ErasureStatus::Running {
            return Ok(());
        }
        let before = erasure.clone();
        erasure.status = ErasureStatus::Completed;
        erasure.completed_at = Some(tx.now());
        erasure.version += 1;
        erasure.updated_at = tx.now();
        erasure::update(tx.conn(), &erasure).await?;
        events::erasure_completed(tx, &erasure, modules);
        fulfil_of_erasure(tx, erasure_id).await?;
        tx.audit("erasure.complete", format!("erasure/{erasure_id}"), Some(&before), Some(&erasure));
        Ok(())
    }
}
