use bhiv_events::core::UnifiedReceived;
use bhiv_outbox::{Command, Fault, Tx};

use super::decide::{DecideError, Question, decide};
use crate::domain::facts::{Fact, Facts};
use crate::domain::served::Served;
use crate::events;

/// Scores an event that a client reported: the predicted reward of processing it.
#[derive(Debug)]
pub struct ScoreEvent {
    /// The event.
    pub unified: UnifiedReceived,
    /// What decides.
    pub served: Served,
}

impl Command for ScoreEvent {
    type Output = ();
    type Refusal = DecideError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<DecideError>> {
        let unified = &self.unified;
        let question = Question {
            kind: "event_score".to_owned(),
            reference: Some(format!("unified/{}", unified.unified_id)),
            subject: Some(format!("user/{}", unified.user_id)),
            query: "How much is this event worth?".to_owned(),
            context: facts(unified),
            candidates: Vec::new(),
        };
        let decision = decide(tx, &self.served, question).await?;
        events::event_scored(tx, unified.unified_id, &decision);
        Ok(())
    }
}

/// What is known of an event, without what tells whom it is about. The hour, in UTC, is a text, as midnight
/// is as near to 23 o'clock as to 1 o'clock, which no number says.
fn facts(unified: &UnifiedReceived) -> Facts {
    Facts::default()
        .with("event_type", Fact::from(unified.event_type.as_str()))
        .with("rl_score", unified.rl_score.and_then(Fact::number))
        .with("consent_flag", Fact::from(unified.consent_flag))
        .with("hour", Fact::Text(unified.timestamp.format("%H").to_string()))
}
