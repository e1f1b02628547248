use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::note_change;
use crate::events;
use crate::store::task::{self, Task};

/// How many tasks one transaction tells of.
pub const AT_A_TIME: usize = 100;

/// Tells, once, of tasks that should be done by now and are not. Answers of how many.
#[derive(Debug)]
pub struct TellOverdue;

impl Command for TellOverdue {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let tasks = task::lock_overdue(tx.conn(), now, AT_A_TIME).await?;
        for before in &tasks {
            let after = Task {
                overdue_at: Some(now),
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            task::update(tx.conn(), &after).await?;
            tx.follow(after.correlation_id);
            events::task_overdue(tx, &after);
            note_change(tx, "task.overdue", Some(before), &after);
        }
        Ok(tasks.len())
    }
}
