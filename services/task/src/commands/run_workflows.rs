//! The engine of the workflows.

use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::Event;
use bhiv_outbox::{Command, Fault, Tx};

use super::add_task::add_task;
use super::escalate_tasks::escalate_tasks;
use crate::domain::facts::Facts;
use crate::domain::ids::WorkflowId;
use crate::domain::run::{Decision, Outcome, decide};
use crate::domain::step::Step;
use crate::events;
use crate::store::heard::{self, HeardEvent};
use crate::store::run::{self, Run};
use crate::store::workflow::{self, Workflow};

/// Runs every enabled workflow that an event triggers. What one of them cannot do stops no other: its run says
/// why.
#[derive(Debug)]
pub struct RunWorkflows(pub Event);

impl Command for RunWorkflows {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let event = &self.0;
        let workflows = workflow::triggered(tx.conn(), &event.name(), event.id).await?;
        let facts = Facts::from(event);
        if let Some(heard) = heard(event, &facts, tx) {
            heard::insert(tx.conn(), &heard).await?;
        }
        for workflow in &workflows {
            run(tx, workflow, event, &facts).await?;
        }
        Ok(())
    }
}

/// The event as it is kept for workflows to be tried on; not one with a character that PostgreSQL's jsonb cannot carry.
fn heard(event: &Event, facts: &Facts, tx: &Tx) -> Option<HeardEvent> {
    let is_kept = ![&facts.event, &facts.data].iter().any(|it| it.to_string().contains("\\u0000"));
    is_kept.then(|| HeardEvent {
        event_id: event.id,
        name: event.name(),
        event: facts.event.clone(),
        data: facts.data.clone(),
        heard_at: tx.now(),
    })
}

async fn run(tx: &mut Tx, workflow: &Workflow, event: &Event, facts: &Facts) -> Result<(), DieselError> {
    let mut run = Run {
        id: tx.id(),
        workflow_id: workflow.id,
        workflow_version: workflow.version,
        event_id: event.id,
        event_type: event.name(),
        correlation_id: event.correlationid,
        outcome: Outcome::Done,
        effects: Vec::new(),
        error: None,
        created_at: tx.now(),
    };
    match decide(workflow.condition.as_deref(), &workflow.actions, facts, tx.now()) {
        Decision::Act(steps) => {
            for step in steps {
                run.effects.push(act(tx, workflow.id, step).await?);
            }
            events::workflow_triggered(tx, workflow, &run);
        }
        Decision::Pass(error) => (run.outcome, run.error) = (Outcome::ConditionNotMet, error),
        Decision::Fail(error) => (run.outcome, run.error) = (Outcome::Failed, Some(error)),
    }
    run::insert(tx.conn(), &run).await
}

/// Does one step and says what it did.
async fn act(tx: &mut Tx, workflow_id: WorkflowId, step: Step) -> Result<String, DieselError> {
    match step {
        Step::CreateTask(new) => {
            let task = add_task(tx, new, Some(workflow_id)).await?;
            Ok(format!("created task/{}", task.id))
        }
        Step::EscalateTasks { reference, reason } => {
            let count = escalate_tasks(tx, &reference, reason).await?;
            Ok(format!("escalated {count} of the tasks about {reference}"))
        }
    }
}
