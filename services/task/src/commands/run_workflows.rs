//! The engine of the workflows.

use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::Event;
use bhiv_outbox::{Command, Fault, Tx};

use super::advance_run::{advance, save};
use crate::domain::facts::Facts;
use crate::domain::run::{Decision, Outcome, Plan, Steps, decide};
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
        id: tx.id().into(),
        workflow_id: workflow.id,
        workflow_version: workflow.version,
        event_id: event.id,
        event_type: event.name(),
        correlation_id: event.correlationid,
        outcome: Outcome::Done,
        effects: Vec::new(),
        error: None,
        created_at: tx.now(),
        attempts: 1,
        steps: Steps::default(),
        waits_for: None,
        wake_at: None,
    };
    let plan = try_(tx, workflow, facts, &mut run).await?;
    run::insert(tx.conn(), &run).await?;
    match plan.filter(|_| run.outcome == Outcome::Waiting) {
        Some(plan) => save(tx, &run, &plan).await,
        None => Ok(()),
    }
}

/// Decides, acts, and notes in `run` what came of it; answers what is done. What cannot be told from the event keeps all
/// of it from being done.
pub async fn try_(
    tx: &mut Tx,
    workflow: &Workflow,
    facts: &Facts,
    run: &mut Run,
) -> Result<Option<Plan>, DieselError> {
    (run.steps, run.effects) = (Steps::default(), Vec::new());
    match decide(workflow.condition.as_deref(), &workflow.actions, facts) {
        Decision::Act(steps) => {
            run.steps = Steps::ahead(&steps);
            let plan = Plan { workflow: workflow.name.clone(), steps };
            advance(tx, run, &plan).await?;
            return Ok(Some(plan));
        }
        Decision::Pass(error) => (run.outcome, run.error) = (Outcome::ConditionNotMet, error),
        Decision::Fail(error) => (run.outcome, run.error) = (Outcome::Failed, Some(error)),
    }
    Ok(None)
}
