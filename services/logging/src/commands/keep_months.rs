use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use chrono::{DateTime, Months, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::kind::LogKind;
use crate::store::{partition, retention, tree};

/// Months that there is a partition for ahead of time.
const AHEAD: u32 = 2;

/// Makes partitions before they are needed, and drops what is no longer to be kept: a month at a time, unread.
#[derive(Clone, Copy, Debug)]
pub struct KeepMonths;

impl Command for KeepMonths {
    type Output = usize;
    type Refusal = Infallible;

    /// Answers how many partitions were made or dropped: one at most. Two in one transaction would lock tables in
    /// another order than readers do.
    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        for kind in LogKind::ALL {
            for ahead in 0..=AHEAD {
                let at = now.checked_add_months(Months::new(ahead)).unwrap_or(now);
                if partition::make(tx.conn(), kind, at).await? {
                    return Ok(1);
                }
            }
            // What came in before its month had a partition.
            if let Some(id) = partition::first_outside(tx.conn(), kind, Uuid::nil()).await?
                && let Some(at) = minted_at(id).filter(|at| *at < now)
                && partition::make(tx.conn(), kind, at).await?
            {
                return Ok(1);
            }
        }
        drop_old(tx).await
    }

    fn is_alone(&self) -> bool {
        true
    }
}

async fn drop_old(tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
    for kind in LogKind::ALL {
        // One replica drops at a time, so that there is one record of it.
        let kept = retention::lock(tx.conn(), kind).await?;
        let Some(days) = kept.days.filter(|_| !kept.legal_hold) else { continue };
        let before = tx.now() - TimeDelta::days(days.into());
        let Some(oldest) = partition::oldest(tx.conn(), kept.kind, before).await? else { continue };
        // What has no leaf yet would leave no trace.
        let is_numbered = kept.kind != LogKind::Audit
            || !tree::has_waiting(tx.conn(), oldest.from_id, oldest.to_id).await?;
        if is_numbered {
            let now = tx.now();
            partition::drop(tx.conn(), &oldest, now).await?;
            tx.audit("partition.drop", format!("partition/{}", oldest.name), Some(&oldest), None);
            return Ok(1);
        }
    }
    Ok(0)
}

/// When an id was made, if it is a UUIDv7.
fn minted_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}
