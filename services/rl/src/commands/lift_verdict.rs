use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::store::verdict::{self, Verdict};

/// Has a violation forbid nothing any more, because somebody looked at it.
#[derive(Debug)]
pub struct LiftVerdict {
    /// The check that found it.
    pub check_id: Uuid,
    /// Why.
    pub reason: String,
}

/// Why it is not lifted.
#[derive(Debug, thiserror::Error)]
#[error("check {0} forbids nothing")]
pub struct NoSuchVerdict(pub Uuid);

impl Refusal for NoSuchVerdict {}

impl Command for LiftVerdict {
    type Output = Verdict;
    type Refusal = NoSuchVerdict;

    async fn run(&self, tx: &mut Tx) -> Result<Verdict, Fault<NoSuchVerdict>> {
        let lifted = verdict::lift(tx.conn(), self.check_id).await?.ok_or(NoSuchVerdict(self.check_id))?;
        tx.continue_story_of(&lifted.entity).await?;
        let after = json!({"reason": self.reason});
        tx.audit("verdict.lift", lifted.entity.clone(), Some(&lifted), Some(&after));
        Ok(lifted)
    }
}
