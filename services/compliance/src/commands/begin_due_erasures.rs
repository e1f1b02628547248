use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::begin_erasure::{begin_erasure, without_names};
use crate::domain::erasure::ErasureStatus;
use crate::store::{erasure, hold};

/// How many one transaction begins.
pub const AT_A_TIME: usize = 20;

/// Begins the erasures whose notice is over, each once, unless a legal hold has come between. Answers of how many.
#[derive(Debug)]
pub struct BeginDueErasures;

impl Command for BeginDueErasures {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        if !erasure::is_any_due(tx.conn(), now).await? {
            return Ok(0);
        }
        erasure::lock_all(tx.conn()).await?;
        let due = erasure::lock_due(tx.conn(), now, AT_A_TIME).await?;
        let count = due.len();
        for mut erasure in due {
            tx.follow(erasure.correlation_id);
            let Some(hold) = hold::standing(tx.conn(), &erasure.names()).await? else {
                begin_erasure(tx, &mut erasure).await?;
                continue;
            };
            let before = without_names(&erasure);
            erasure.status = ErasureStatus::Held;
            erasure.hold_id = Some(hold.id);
            erasure.version += 1;
            erasure.updated_at = now;
            erasure::update(tx.conn(), &erasure).await?;
            let entity = format!("erasure/{}", erasure.id);
            tx.audit("erasure.hold", entity, Some(&before), Some(&without_names(&erasure)));
        }
        Ok(count)
    }
}
