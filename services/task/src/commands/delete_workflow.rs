use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::ids::WorkflowId;
use crate::store::workflow;

/// Removes a workflow. Its runs and the tasks that it created stay.
#[derive(Debug)]
pub struct DeleteWorkflow(pub WorkflowId);

/// Why none is removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteWorkflowError {
    #[error("there is no workflow {0}")]
    NotFound(WorkflowId),
}

impl Refusal for DeleteWorkflowError {}

impl Command for DeleteWorkflow {
    type Output = ();
    type Refusal = DeleteWorkflowError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<DeleteWorkflowError>> {
        let before = workflow::lock(tx.conn(), self.0).await?;
        let before = before.ok_or(DeleteWorkflowError::NotFound(self.0))?;
        workflow::delete(tx.conn(), self.0).await?;
        let entity = format!("workflow/{}", self.0);
        tx.change("workflow.delete", entity, before.version + 1, Some(&before), None);
        Ok(())
    }
}
