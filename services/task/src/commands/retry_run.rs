use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use super::run_workflows::try_;
use crate::domain::facts::Facts;
use crate::domain::ids::{RunId, WorkflowId};
use crate::domain::run::Outcome;
use crate::store::heard::{self, HeardEvent};
use crate::store::run::{self, Run};
use crate::store::workflow;

/// Tries a run again that did not come to its end, with the workflow as it is now. As it did nothing, it begins at its
/// start.
#[derive(Debug)]
pub struct RetryRun(pub RunId);

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RetryRunError {
    #[error("there is no run {0}")]
    NotFound(RunId),
    #[error("it was done")]
    Done,
    #[error("workflow/{0} is not there any more")]
    NoWorkflow(WorkflowId),
    #[error("event {0} was forgotten")]
    Forgotten(Uuid),
}

impl Refusal for RetryRunError {}

impl Command for RetryRun {
    type Output = Run;
    type Refusal = RetryRunError;

    async fn run(&self, tx: &mut Tx) -> Result<Run, Fault<RetryRunError>> {
        let before = run::lock(tx.conn(), self.0).await?.ok_or(RetryRunError::NotFound(self.0))?;
        if before.outcome == Outcome::Done {
            return Err(RetryRunError::Done.into());
        }
        let workflow = workflow::find(tx.conn(), before.workflow_id).await?;
        let workflow = workflow.ok_or(RetryRunError::NoWorkflow(before.workflow_id))?;
        let event = heard::find(tx.conn(), before.event_id).await?;
        let event = event.ok_or(RetryRunError::Forgotten(before.event_id))?;
        let HeardEvent { event, data, .. } = event;
        tx.continue_story(before.correlation_id);
        let mut after =
            Run { workflow_version: workflow.version, attempts: before.attempts + 1, ..before.clone() };
        try_(tx, &workflow, &Facts { event, data }, &mut after).await?;
        run::update(tx.conn(), &after).await?;
        tx.audit("run.retry", format!("run/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
