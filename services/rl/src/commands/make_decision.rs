use bhiv_outbox::{Command, Fault, Tx};

use super::decide::{DecideError, Question, decide};
use crate::domain::decision::NewDecision;
use crate::domain::served::Served;
use crate::events;
use crate::store::decision::Decision;

/// Decides what a caller asks.
#[derive(Debug)]
pub struct MakeDecision {
    /// What is asked.
    pub new: NewDecision,
    /// What decides.
    pub served: Served,
}

impl Command for MakeDecision {
    type Output = Decision;
    type Refusal = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<Decision, Fault<DecideError>> {
        let new = self.new.clone();
        let (kind, reference) = (new.kind().to_owned(), new.reference());
        if let Some(reference) = &reference {
            tx.continue_story_of(reference).await?;
        }
        let candidates = new.candidates.clone().into_inner();
        for name in new.subject.iter().chain(&reference) {
            if tx.is_erased(name).await? {
                return Err(DecideError::Erased.into());
            }
        }
        let NewDecision { query, context, subject, .. } = new;
        let question = Question { kind, reference, subject, query, context, candidates };
        let decision = decide(tx, &self.served, question).await?;
        events::decision_made(tx, &decision);
        tx.audit("decision.create", format!("decision/{}", decision.id), None, Some(&decision));
        Ok(decision)
    }
}
