use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::advance_run::{advance, save};
use super::run_workflows::try_;
use crate::domain::facts::Facts;
use crate::domain::ids::{RunId, WorkflowId};
use crate::domain::run::Outcome;
use crate::store::heard::{self, HeardEvent};
use crate::store::run::{self, Run};
use crate::store::workflow;

/// Tries a run again that did not come to its end.
#[derive(Debug)]
pub struct RetryRun {
    /// Which run.
    pub id: RunId,
    /// From where on; from the step that failed, if one did, unless it says otherwise.
    pub from: Option<Start>,
}

/// Where a run begins again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At its start, with the workflow as it is now: what it did already is done once more.
    Start,
    /// At the step that failed, as it was.
    FailedStep,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RetryRunError {
    #[error("there is no run {0}")]
    NotFound(RunId),
    #[error("it was done")]
    Done,
    #[error("it is waiting; it goes on by itself, or is cancelled")]
    Waiting,
    #[error("none of its steps failed")]
    NoFailedStep,
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
        let before = run::lock(tx.conn(), self.id).await?.ok_or(RetryRunError::NotFound(self.id))?;
        match before.outcome {
            Outcome::Done => return Err(RetryRunError::Done.into()),
            Outcome::Waiting => return Err(RetryRunError::Waiting.into()),
            _ => {}
        }
        tx.continue_story(before.correlation_id);
        let plan = run::plan(tx.conn(), self.id).await?;
        let mut after = Run { attempts: before.attempts + 1, ..before.clone() };
        match (self.from, plan) {
            (None | Some(Start::FailedStep), Some(plan)) => {
                if let Some((_, record)) = after.steps.current() {
                    (record.attempts, record.began_at, record.ended_at) = (0, None, None);
                }
                advance(tx, &mut after, &plan).await?;
                save(tx, &after, &plan).await?;
            }
            (Some(Start::FailedStep), None) => return Err(RetryRunError::NoFailedStep.into()),
            (None | Some(Start::Start), _) => begin(tx, &mut after).await?,
        }
        tx.audit("run.retry", format!("run/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}

/// With the workflow as it is now.
async fn begin(tx: &mut Tx, run: &mut Run) -> Result<(), Fault<RetryRunError>> {
    let workflow = workflow::find(tx.conn(), run.workflow_id).await?;
    let workflow = workflow.ok_or(RetryRunError::NoWorkflow(run.workflow_id))?;
    let event = heard::find(tx.conn(), run.event_id).await?;
    let HeardEvent { event, data, .. } = event.ok_or(RetryRunError::Forgotten(run.event_id))?;
    run.workflow_version = workflow.version;
    let plan = try_(tx, &workflow, &Facts { event, data }, run).await?;
    run::update(tx.conn(), run).await?;
    let plan = plan.filter(|_| run.outcome == Outcome::Waiting);
    Ok(run::keep_plan(tx.conn(), run.id, plan.as_ref()).await?)
}
