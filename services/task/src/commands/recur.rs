//! Tasks that come again and again: what people do about them, and what the clock does.

use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::add_task::{Maker, add_task};
use crate::domain::ids::RecurringId;
use crate::domain::recurring::{InvalidSchedule, NewRecurring, RecurringChange, next};
use crate::store::recurring::{self, Recurring};

/// How many one transaction lets come.
pub const AT_A_TIME: usize = 50;

/// Somebody wants a task to come again and again.
#[derive(Debug)]
pub struct CreateRecurring(pub NewRecurring);

/// Somebody wants it otherwise.
#[derive(Debug)]
pub struct PatchRecurring {
    /// Which.
    pub id: RecurringId,
    /// What changes.
    pub change: RecurringChange,
}

/// Nobody wants it any more. The tasks that came stay.
#[derive(Debug)]
pub struct DeleteRecurring(pub RecurringId);

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum RecurringError {
    #[error("there is no recurring task {0}")]
    NotFound(RecurringId),
    #[error(transparent)]
    Schedule(#[from] InvalidSchedule),
}

impl Refusal for RecurringError {}

impl Command for CreateRecurring {
    type Output = Recurring;
    type Refusal = RecurringError;

    async fn run(&self, tx: &mut Tx) -> Result<Recurring, Fault<RecurringError>> {
        let NewRecurring { cron, timezone, task, enabled } = self.0.clone();
        let now = tx.now();
        let next_at = next(&cron, &timezone, now).map_err(RecurringError::from)?;
        let recurring = Recurring {
            id: tx.id().into(),
            version: 1,
            cron,
            timezone,
            task,
            enabled,
            next_at: enabled.then_some(next_at),
            last_at: None,
            created_at: now,
            updated_at: now,
        };
        recurring::insert(tx.conn(), &recurring).await?;
        let entity = format!("recurring/{}", recurring.id);
        tx.change("recurring.create", entity, 1, None, Some(&recurring));
        Ok(recurring)
    }
}

impl Command for PatchRecurring {
    type Output = Recurring;
    type Refusal = RecurringError;

    async fn run(&self, tx: &mut Tx) -> Result<Recurring, Fault<RecurringError>> {
        let before = recurring::lock(tx.conn(), self.id).await?.ok_or(RecurringError::NotFound(self.id))?;
        let RecurringChange { cron, timezone, task, enabled } = self.change.clone();
        let mut after = before.clone();
        after.cron = cron.unwrap_or(after.cron);
        after.timezone = timezone.unwrap_or(after.timezone);
        after.task = task.unwrap_or(after.task);
        after.enabled = enabled.unwrap_or(after.enabled);
        if after == before {
            return Ok(before);
        }
        let next_at = next(&after.cron, &after.timezone, tx.now()).map_err(RecurringError::from)?;
        after.next_at = after.enabled.then_some(next_at);
        after.version += 1;
        after.updated_at = tx.now();
        recurring::update(tx.conn(), &after).await?;
        let entity = format!("recurring/{}", after.id);
        tx.change("recurring.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

impl Command for DeleteRecurring {
    type Output = ();
    type Refusal = RecurringError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<RecurringError>> {
        let before = recurring::lock(tx.conn(), self.0).await?.ok_or(RecurringError::NotFound(self.0))?;
        recurring::delete(tx.conn(), self.0).await?;
        let entity = format!("recurring/{}", self.0);
        tx.change::<Recurring>("recurring.delete", entity, before.version + 1, Some(&before), None);
        Ok(())
    }
}

/// Lets tasks come whose time it is, each once, however many times were missed. Answers of how many.
#[derive(Debug)]
pub struct Recur;

impl Command for Recur {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let due = recurring::lock_due(tx.conn(), now, AT_A_TIME).await?;
        for mut recurring in due.iter().cloned() {
            // Each begins a story of its own.
            let story = tx.id();
            tx.follow(story);
            add_task(tx, recurring.task.task(now), Maker::Clock(recurring.id)).await?;
            // A time zone that the next version does not know any more is no reason to come for ever.
            recurring.next_at = next(&recurring.cron, &recurring.timezone, now).ok();
            recurring.last_at = Some(now);
            recurring::update(tx.conn(), &recurring).await?;
        }
        Ok(due.len())
    }
}
