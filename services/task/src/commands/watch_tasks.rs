//! What the clock does about tasks that nobody does something about.

use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::note_change;
use super::save_task::save_task;
use crate::domain::task::TaskStatus;
use crate::events;
use crate::store::task::{self, Task};

/// How many tasks one transaction is about.
pub const AT_A_TIME: usize = 100;

/// Escalates tasks that should be done by now, if that was wanted. Answers of how many.
#[derive(Debug)]
pub struct EscalateLate;

impl Command for EscalateLate {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let open: Vec<_> = TaskStatus::before(TaskStatus::Escalated).collect();
        let tasks = task::lock_to_escalate(tx.conn(), now, open, AT_A_TIME).await?;
        for before in &tasks {
            tx.follow(before.correlation_id);
            // Once: whoever takes it up again sets another time, or none.
            let after = Task { status: TaskStatus::Escalated, escalate_at: None, ..before.clone() };
            let by = before.escalate_at.unwrap_or(now).format("%FT%TZ");
            save_task(tx, before, after, Some(format!("it was not done by {by}"))).await?;
        }
        Ok(tasks.len())
    }
}

/// Tells, once, of tasks that somebody should have begun by now. Answers of how many.
#[derive(Debug)]
pub struct TellUnanswered;

impl Command for TellUnanswered {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let tasks = task::lock_unanswered(tx.conn(), now, AT_A_TIME).await?;
        for before in &tasks {
            tx.follow(before.correlation_id);
            let after = Task {
                breached_at: Some(now),
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            task::update(tx.conn(), &after).await?;
            events::task_sla_breached(tx, &after);
            note_change(tx, "task.breach", Some(before), &after);
        }
        Ok(tasks.len())
    }
}
