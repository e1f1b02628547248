use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::ids::WorkflowId;
use crate::domain::workflow::{InvalidWorkflow, WorkflowChange};
use crate::store::workflow::{self, Workflow};

/// Changes a workflow. What ran already stays as it ran.
#[derive(Debug)]
pub struct PatchWorkflow {
    /// Which workflow.
    pub id: WorkflowId,
    /// What changes.
    pub change: WorkflowChange,
}

/// Why a workflow stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchWorkflowError {
    #[error("there is no workflow {0}")]
    NotFound(WorkflowId),
    #[error(transparent)]
    Invalid(#[from] InvalidWorkflow),
}

impl Refusal for PatchWorkflowError {}

impl Command for PatchWorkflow {
    type Output = Workflow;
    type Refusal = PatchWorkflowError;

    async fn run(&self, tx: &mut Tx) -> Result<Workflow, Fault<PatchWorkflowError>> {
        let before = workflow::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(PatchWorkflowError::NotFound(self.id))?;
        let checked = self.change.check(&before.trigger, before.condition.as_deref());
        checked.map_err(PatchWorkflowError::from)?;
        let mut after = before.clone();
        apply(self.change.clone(), &mut after);
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        workflow::update(tx.conn(), &after).await?;
        let entity = format!("workflow/{}", after.id);
        tx.change("workflow.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: WorkflowChange, workflow: &mut Workflow) {
    let WorkflowChange { name, trigger, condition, actions, enabled } = change;
    if let Some(name) = name {
        workflow.name = name;
    }
    if let Some(trigger) = trigger {
        workflow.trigger = trigger;
    }
    condition.apply(&mut workflow.condition);
    if let Some(actions) = actions {
        workflow.actions = actions;
    }
    if let Some(enabled) = enabled {
        workflow.enabled = enabled;
    }
}
