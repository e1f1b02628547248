use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::learn::learn;
use crate::domain::decision::NewOutcome;
use crate::domain::ids::DecisionId;
use crate::store::decision::{self, Decision};

/// Records how a decision turned out.
#[derive(Debug)]
pub struct RecordOutcome {
    /// Which decision.
    pub id: DecisionId,
    /// How it turned out.
    pub outcome: NewOutcome,
}

/// Why an outcome is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordOutcomeError {
    #[error("there is no decision {0}")]
    NotFound(DecisionId),
    #[error("decision {0} has its outcome already")]
    Exists(DecisionId),
}

impl Refusal for RecordOutcomeError {}

impl Command for RecordOutcome {
    type Output = Decision;
    type Refusal = RecordOutcomeError;

    async fn run(&self, tx: &mut Tx) -> Result<Decision, Fault<RecordOutcomeError>> {
        let found = decision::find(tx.conn(), self.id).await?;
        let found = found.ok_or(RecordOutcomeError::NotFound(self.id))?;
        let NewOutcome { reward, comment } = self.outcome.clone();
        let learned = learn(tx, &found, reward, comment).await?;
        let (before, after) = learned.ok_or(RecordOutcomeError::Exists(self.id))?;
        tx.audit("decision.outcome", format!("decision/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
