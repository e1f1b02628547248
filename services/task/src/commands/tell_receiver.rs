//! Somebody outside is told in three parts: a run is taken up, then the receiver is sent to with no transaction open, then
//! it is noted what came of it. Whoever dies in between is followed by somebody else, when the lease is over.

use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use bhiv_webhook::{CallbackUrl, Verdict};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::advance_run::{advance, done, save, stop};
use crate::domain::ids::RunId;
use crate::domain::run::{Outcome, StepStatus, WaitsFor};
use crate::domain::step::Step;
use crate::store::run;

/// Takes up one run whose receiver is due, for so long.
#[derive(Debug)]
pub struct TakeReceiver {
    /// Until then it is nobody else's.
    pub lease: TimeDelta,
}

/// What a receiver is to be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToTell {
    /// The run.
    pub run: RunId,
    /// The how manyth attempt of its step it is, from 1 on.
    pub attempt: i32,
    /// Where.
    pub url: CallbackUrl,
    /// The same for each attempt of the step.
    pub id: Uuid,
    /// What.
    pub body: String,
}

impl Command for TakeReceiver {
    type Output = Option<ToTell>;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Option<ToTell>, Fault<Infallible>> {
        let now = tx.now();
        let due = run::lock_due(tx.conn(), &[WaitsFor::Receiver], now, 1).await?;
        let Some(mut run) = due.into_iter().next() else { return Ok(None) };
        let plan = run::plan(tx.conn(), run.id).await?;
        let Some((number, record)) = run.steps.current() else { return Ok(None) };
        record.attempts += 1;
        let attempt = record.attempts;
        let step = plan.as_ref().and_then(|plan| plan.steps.get(number));
        let (Some(plan), Some(Step::Notify { url, text })) = (&plan, step) else {
            stop(&mut run, Outcome::Failed, StepStatus::Failed, "what it was to do is not kept", now);
            run::update(tx.conn(), &run).await?;
            return Ok(None);
        };
        run.wake_at = Some(now + self.lease);
        run::update(tx.conn(), &run).await?;
        let body = json!({
            "text": text,
            "workflow": plan.workflow,
            "workflow_id": run.workflow_id,
            "run_id": run.id,
            "event_id": run.event_id,
            "event_type": run.event_type,
            "correlation_id": run.correlation_id,
        });
        // Two notifications of one run are two messages, and an attempt of the same is the same message.
        let id = Uuid::from_u128(run.id.0.as_u128().wrapping_add(number as u128));
        Ok(Some(ToTell { run: run.id, attempt, url: url.clone(), id, body: body.to_string() }))
    }
}

/// Notes what came of an attempt.
#[derive(Debug)]
pub struct NoteTold {
    /// The run.
    pub run: RunId,
    /// Which attempt it was.
    pub attempt: i32,
    /// Who was to be told.
    pub host: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What went wrong.
    pub error: Option<String>,
}

impl Command for NoteTold {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let now = tx.now();
        let Some(mut run) = run::lock(tx.conn(), self.run).await? else { return Ok(()) };
        let Some(plan) = run::plan(tx.conn(), self.run).await? else { return Ok(()) };
        let is_receiver = run.waits_for == Some(WaitsFor::Receiver);
        let Some((_, record)) = run.steps.current() else { return Ok(()) };
        if !is_receiver || record.attempts != self.attempt {
            // It was cancelled meanwhile, or somebody else has taken it up.
            return Ok(());
        }
        tx.continue_story(run.correlation_id);
        let error = self.error.as_deref().unwrap_or("the receiver does not take it");
        match self.verdict {
            Verdict::Delivered => {
                done(&mut run, format!("told {}", self.host), now);
                advance(tx, &mut run, &plan).await?;
            }
            Verdict::Retry(pause) => {
                record.error = Some(format!("{}: {error}", self.host));
                run.wake_at = Some(now + pause);
            }
            Verdict::GivenUp | Verdict::Gone => {
                let why = format!("{}: {error}", self.host);
                stop(&mut run, Outcome::Failed, StepStatus::Failed, &why, now);
            }
        }
        save(tx, &run, &plan).await?;
        Ok(())
    }
}
