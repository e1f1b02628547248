use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::caller;
use crate::domain::feedback::FeedbackChange;
use crate::domain::ids::FeedbackId;
use crate::events;
use crate::store::feedback::{self, Feedback};

/// Changes what a customer said.
#[derive(Debug)]
pub struct PatchFeedback {
    /// Which feedback.
    pub id: FeedbackId,
    /// What changes.
    pub change: FeedbackChange,
}

/// Why it stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchFeedbackError {
    #[error("there is no feedback {0}")]
    NotFound(FeedbackId),
    #[error("feedback/{0} is another customer's")]
    NotYours(FeedbackId),
}

impl Refusal for PatchFeedbackError {}

impl Command for PatchFeedback {
    type Output = Feedback;
    type Refusal = PatchFeedbackError;

    async fn run(&self, tx: &mut Tx) -> Result<Feedback, Fault<PatchFeedbackError>> {
        let before = feedback::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(PatchFeedbackError::NotFound(self.id))?;
        if before.customer != caller(tx) {
            return Err(PatchFeedbackError::NotYours(self.id).into());
        }
        let mut after = before.clone();
        let FeedbackChange { rating, comment, categories } = self.change.clone();
        if let Some(rating) = rating {
            after.rating = rating;
        }
        comment.apply(&mut after.comment);
        if let Some(categories) = categories {
            after.categories = categories;
        }
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        feedback::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        events::feedback_received(tx, &after);
        let entity = format!("feedback/{}", after.id);
        tx.change("feedback.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
