use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::caller;
use crate::domain::feedback::NewFeedback;
use crate::domain::ids::FeedbackId;
use crate::events;
use crate::store::feedback::{self, Feedback};

/// A customer says how an order went.
#[derive(Debug)]
pub struct CreateFeedback(pub NewFeedback);

/// Why it is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CreateFeedbackError {
    #[error("the caller's feedback on this order is feedback/{0}; it can be changed")]
    Exists(FeedbackId),
}

impl Refusal for CreateFeedbackError {}

impl Command for CreateFeedback {
    type Output = Feedback;
    type Refusal = CreateFeedbackError;

    async fn run(&self, tx: &mut Tx) -> Result<Feedback, Fault<CreateFeedbackError>> {
        let NewFeedback { order_id, rating, comment, categories } = self.0.clone();
        tx.continue_story_of(&format!("order/{order_id}")).await?;
        let feedback = Feedback {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            order_id,
            customer: caller(tx),
            rating,
            comment,
            categories,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        let id = feedback::insert_once(tx.conn(), &feedback).await?;
        if id != feedback.id {
            return Err(CreateFeedbackError::Exists(id).into());
        }
        events::feedback_received(tx, &feedback);
        tx.change("feedback.create", format!("feedback/{id}"), 1, None, Some(&feedback));
        Ok(feedback)
    }
}
