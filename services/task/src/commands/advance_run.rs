//! The steps of a run, as far as they can be done.

use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use chrono::{DateTime, TimeDelta, Utc};

use super::add_task::{Maker, add_task};
use super::end_approval::end_approval;
use super::move_tasks::move_tasks;
use crate::domain::approval::ApprovalStatus;
use crate::domain::assignment::{Assignment, Strategy, in_turn, least_loaded};
use crate::domain::ids::WorkflowId;
use crate::domain::run::{Outcome, Plan, StepStatus, WaitsFor};
use crate::domain::step::Step;
use crate::domain::task::{NewTask, TaskStatus};
use crate::events;
use crate::store::approval::{self, Approval};
use crate::store::run::{self, Run};
use crate::store::task;

/// What came of a step.
enum Came {
    /// It did this.
    To(String),
    /// It waits for that, at most until then.
    Wait(WaitsFor, Option<DateTime<Utc>>),
}

/// Does the steps that are left, until one has to wait or all are done.
pub async fn advance(tx: &mut Tx, run: &mut Run, plan: &Plan) -> Result<(), DieselError> {
    let now = tx.now();
    (run.waits_for, run.wake_at, run.error) = (None, None, None);
    while let Some((number, record)) = run.steps.current() {
        record.began_at.get_or_insert(now);
        record.status = StepStatus::Waiting;
        let Some(step) = plan.steps.get(number) else { break };
        match begin(tx, run, &plan.workflow, step).await? {
            Came::To(effect) => done(run, effect, now),
            Came::Wait(what, until) => {
                (run.outcome, run.waits_for, run.wake_at) = (Outcome::Waiting, Some(what), until);
                return Ok(());
            }
        }
    }
    run.outcome = Outcome::Done;
    events::workflow_triggered(tx, &plan.workflow, run);
    Ok(())
}

/// The step that a run is at is done.
pub fn done(run: &mut Run, effect: String, now: DateTime<Utc>) {
    if let Some((_, record)) = run.steps.current() {
        record.status = StepStatus::Done;
        record.ended_at = Some(now);
        (record.effect, record.error) = (Some(effect.clone()), None);
        run.effects.push(effect);
    }
}

/// A run ends at the step that it is at, which is left in `status`.
pub fn stop(run: &mut Run, outcome: Outcome, status: StepStatus, why: &str, now: DateTime<Utc>) {
    (run.waits_for, run.wake_at, run.outcome) = (None, None, outcome);
    if let Some((number, record)) = run.steps.current() {
        record.status = status;
        record.ended_at = Some(now);
        record.error = Some(why.to_owned());
        run.error = Some(format!("/actions/{number}/{}: {why}", record.action));
    }
}

/// Writes how far a run is, and what it does for as long as that may be needed.
pub async fn save(tx: &mut Tx, run: &Run, plan: &Plan) -> Result<(), DieselError> {
    run::update(tx.conn(), run).await?;
    let is_needed = matches!(run.outcome, Outcome::Waiting | Outcome::Failed);
    run::keep_plan(tx.conn(), run.id, Some(plan).filter(|_| is_needed)).await
}

async fn begin(tx: &mut Tx, run: &mut Run, workflow: &str, step: &Step) -> Result<Came, DieselError> {
    let now = tx.now();
    Ok(match step {
        Step::CreateTask { task, assign, due_in_hours, escalate_in_hours } => {
            let after = |hours: &Option<u16>| hours.map(|hours| now + TimeDelta::hours(hours.into()));
            let mut new = NewTask {
                due_date: after(due_in_hours),
                escalate_at: after(escalate_in_hours),
                ..task.clone()
            };
            if let (None, Some(assign)) = (&new.assignee_id, assign) {
                new.assignee_id = choose(tx, run.workflow_id, assign).await?;
            }
            let task = add_task(tx, new, Maker::Workflow(run.workflow_id)).await?;
            Came::To(format!("created task/{}", task.id))
        }
        Step::EscalateTasks { reference, reason } => {
            let count = move_tasks(tx, reference, TaskStatus::Escalated, reason.clone()).await?;
            Came::To(format!("escalated {count} of the tasks about {reference}"))
        }
        Step::CancelTasks { reference } => {
            let count = move_tasks(tx, reference, TaskStatus::Cancelled, None).await?;
            Came::To(format!("cancelled {count} of the tasks about {reference}"))
        }
        Step::Publish { event_type, payload } => {
            let id = events::workflow_published(tx, run, event_type, payload);
            Came::To(format!("published {event_type} as published/{id}"))
        }
        Step::Notify { .. } => Came::Wait(WaitsFor::Receiver, Some(now)),
        Step::Wait { minutes } => {
            Came::Wait(WaitsFor::Time, Some(now + TimeDelta::minutes((*minutes).into())))
        }
        Step::Approve { question, approvers, within_hours } => {
            let approval = Approval {
                id: tx.id().into(),
                version: 1,
                correlation_id: run.correlation_id,
                run_id: run.id,
                workflow: workflow.to_owned(),
                question: question.clone(),
                approvers: approvers.clone(),
                status: ApprovalStatus::Pending,
                expires_at: within_hours.map(|hours| now + TimeDelta::hours(hours.into())),
                decided_by: None,
                decided_at: None,
                comment: None,
                created_at: now,
            };
            approval::insert(tx.conn(), &approval).await?;
            events::approval_requested(tx, &approval);
            Came::Wait(WaitsFor::Approval, approval.expires_at)
        }
    })
}

/// Ends a run that waits, for a reason of its own.
pub async fn give_up(
    tx: &mut Tx,
    run: &mut Run,
    outcome: Outcome,
    became: ApprovalStatus,
    why: &str,
) -> Result<(), DieselError> {
    end_approval(tx, run.id, became, None, None).await?;
    stop(run, outcome, StepStatus::Rejected, why, tx.now());
    Ok(())
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
