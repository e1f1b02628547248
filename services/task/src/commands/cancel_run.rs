use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::advance_run::{give_up, save};
use crate::domain::approval::ApprovalStatus;
use crate::domain::ids::RunId;
use crate::domain::run::Outcome;
use crate::store::run::{self, Run};

/// Ends a run that waits. What it did stays done.
#[derive(Debug)]
pub struct CancelRun(pub RunId);

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum CancelRunError {
    #[error("there is no run {0}")]
    NotFound(RunId),
    #[error("it is {0}; what waits can be cancelled")]
    Over(Outcome),
}

impl Refusal for CancelRunError {}

impl Command for CancelRun {
    type Output = Run;
    type Refusal = CancelRunError;

    async fn run(&self, tx: &mut Tx) -> Result<Run, Fault<CancelRunError>> {
        let before = run::lock(tx.conn(), self.0).await?.ok_or(CancelRunError::NotFound(self.0))?;
        let plan = run::plan(tx.conn(), self.0).await?;
        let (Outcome::Waiting, Some(plan)) = (before.outcome, plan) else {
            return Err(CancelRunError::Over(before.outcome).into());
        };
        tx.continue_story(before.correlation_id);
        let mut after = before.clone();
        let why = format!("cancelled by {}", tx.actor());
        give_up(tx, &mut after, Outcome::Cancelled, ApprovalStatus::Withdrawn, &why).await?;
        save(tx, &after, &plan).await?;
        tx.audit("run.cancel", format!("run/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
