use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::workflow::{InvalidWorkflow, NewWorkflow};
use crate::store::workflow::{self, Workflow};

/// Adds a workflow.
#[derive(Debug)]
pub struct CreateWorkflow(pub NewWorkflow);

impl Refusal for InvalidWorkflow {}

impl Command for CreateWorkflow {
    type Output = Workflow;
    type Refusal = InvalidWorkflow;

    async fn run(&self, tx: &mut Tx) -> Result<Workflow, Fault<InvalidWorkflow>> {
        let new = self.0.clone();
        new.check()?;
        let workflow = Workflow {
            id: tx.id().into(),
            version: 1,
            name: new.name,
            trigger: new.trigger,
            condition: new.condition,
            actions: new.actions,
            enabled: new.enabled,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        workflow::insert(tx.conn(), &workflow).await?;
        tx.change("workflow.create", format!("workflow/{}", workflow.id), 1, None, Some(&workflow));
        Ok(workflow)
    }
}
