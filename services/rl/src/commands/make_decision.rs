use bhiv_outbox::{Command, Fault, Tx};

use super::decide::{DecideError, Question, decide};
use crate::domain::decision::NewDecision;
use crate::events;
use crate::store::decision::Decision;

/// Decides what a caller asks.
#[derive(Debug)]
pub struct MakeDecision(pub NewDecision);

impl Command for MakeDecision {
    type Output = Decision;
    type Refusal = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<Decision, Fault<DecideError>> {
        let new = self.0.clone();
        let (kind, reference) = (new.kind().to_owned(), new.reference());
        if let Some(reference) = &reference {
            tx.continue_story_of(reference).await?;
        }
        let candidates = new.candidates.into_inner();
        let question = Question { kind, reference, query: new.query, context: new.context, candidates };
        let decision = decide(tx, question).await?;
        events::decision_made(tx, &decision);
        tx.audit("decision.create", format!("decision/{}", decision.id), None, Some(&decision));
        Ok(decision)
    }
}
