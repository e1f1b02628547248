//! The engine of the workflows.

use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::Event;
use bhiv_outbox::{Command, Fault, Tx};

use super::add_task::add_task;
use super::escalate_tasks::escalate_tasks;
use crate::domain::assignment::{Assignment, Strategy, in_turn, least_loaded};
use crate::domain::facts::Facts;
use crate::domain::ids::WorkflowId;
use crate::domain::run::{Decision, Outcome, decide};
use crate::domain::step::Step;
use crate::events;
use crate::store::heard::{self, HeardEvent};
use crate::store::run::{self, Run};
use crate::store::task;
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
    };
    try_(tx, workflow, facts, &mut run).await?;
    run::insert(tx.conn(), &run).await
}

/// Decides, acts, and notes in `run` what came of it: all of a workflow's actions are done, or none.
pub async fn try_(tx: &mut Tx, workflow: &Workflow, facts: &Facts, run: &mut Run) -> Result<(), DieselError> {
    match decide(workflow.condition.as_deref(), &workflow.actions, facts, tx.now()) {
        Decision::Act(steps) => {
            (run.outcome, run.error) = (Outcome::Done, None);
            for step in steps {
                run.effects.push(act(tx, workflow.id, step).await?);
            }
            events::workflow_triggered(tx, workflow, run);
        }
        Decision::Pass(error) => (run.outcome, run.error) = (Outcome::ConditionNotMet, error),
        Decision::Fail(error) => (run.outcome, run.error) = (Outcome::Failed, Some(error)),
    }
    Ok(())
}

/// Does one step and says what it did.
async fn act(tx: &mut Tx, workflow_id: WorkflowId, step: Step) -> Result<String, DieselError> {
    match step {
        Step::CreateTask(mut new, assignment) => {
            if let (None, Some(assignment)) = (&new.assignee_id, assignment) {
                new.assignee_id = choose(tx, workflow_id, &assignment).await?;
            }
            let task = add_task(tx, new, Some(workflow_id)).await?;
            Ok(format!("created task/{}", task.id))
        }
        Step::EscalateTasks { reference, reason } => {
            let count = escalate_tasks(tx, &reference, reason).await?;
            Ok(format!("escalated {count} of the tasks about {reference}"))
        }
    }
}

/// Whose turn it is. Tasks of one workflow are assigned one after the other, until the end of the transaction.
async fn choose(
    tx: &mut Tx,
    workflow: WorkflowId,
    Assignment { among, by }: &Assignment,
) -> Result<Option<String>, DieselError> {
    task::lock_assigning(tx.conn(), workflow).await?;
    match by {
        Strategy::RoundRobin => {
            let last = task::last_assignee(tx.conn(), workflow, among).await?;
            Ok(in_turn(among, last.as_deref()).map(str::to_owned))
        }
        Strategy::LeastLoaded => {
            let loads = task::open_by_assignee(tx.conn(), among).await?;
            Ok(least_loaded(among, &loads).map(str::to_owned))
        }
    }
}
