use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::advance_run::{advance, done, give_up, save};
use crate::domain::approval::ApprovalStatus;
use crate::domain::run::{Outcome, WaitsFor};
use crate::store::run;

/// How many runs one transaction wakes.
pub const AT_A_TIME: usize = 20;

/// Lets runs go on whose time has come, and ends those that nobody answered in time. Answers of how many.
#[derive(Debug)]
pub struct WakeRuns;

impl Command for WakeRuns {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let due = run::lock_due(tx.conn(), &[WaitsFor::Time, WaitsFor::Approval], now, AT_A_TIME).await?;
        let count = due.len();
        for mut run in due {
            tx.follow(run.correlation_id);
            let Some(plan) = run::plan(tx.conn(), run.id).await? else {
                // Nobody knows what it was to do; it is not looked at again and again.
                (run.outcome, run.wake_at, run.waits_for) = (Outcome::Failed, None, None);
                run.error = Some("what it was to do is not kept".to_owned());
                run::update(tx.conn(), &run).await?;
                continue;
            };
            if run.waits_for == Some(WaitsFor::Time) {
                done(&mut run, format!("waited until {}", now.format("%FT%TZ")), now);
                advance(tx, &mut run, &plan).await?;
            } else {
                let why = "nobody answered in time";
                give_up(tx, &mut run, Outcome::Rejected, ApprovalStatus::Expired, why).await?;
            }
            save(tx, &run, &plan).await?;
        }
        Ok(count)
    }
}
