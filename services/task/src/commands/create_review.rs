use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::save_task::save_task;
use crate::domain::ids::TaskId;
use crate::domain::review::{NewReview, ReviewStatus};
use crate::domain::task::TaskStatus;
use crate::events;
use crate::store::review::{self, Review};
use crate::store::task::{self, Task};

/// Somebody looks at a task that was done.
#[derive(Debug)]
pub struct CreateReview {
    /// What they say.
    pub new: NewReview,
    /// Who they are.
    pub reviewer: String,
}

/// Why it does not count.
#[derive(Debug, thiserror::Error)]
pub enum CreateReviewError {
    #[error("there is no task {0}")]
    NoTask(TaskId),
    #[error("the task is {0}; what is completed is reviewed")]
    NotDone(TaskStatus),
    #[error("nobody reviews their own task")]
    Own,
    #[error("the parts make {0}")]
    Mismatch(f64),
}

impl Refusal for CreateReviewError {}

impl Command for CreateReview {
    type Output = Review;
    type Refusal = CreateReviewError;

    async fn run(&self, tx: &mut Tx) -> Result<Review, Fault<CreateReviewError>> {
        let new = self.new.clone();
        let dhi_score = new.score().map_err(CreateReviewError::Mismatch)?;
        let task = task::lock(tx.conn(), new.task_id).await?;
        let task = task.ok_or(CreateReviewError::NoTask(new.task_id))?;
        if task.status != TaskStatus::Completed {
            return Err(CreateReviewError::NotDone(task.status).into());
        }
        // Nor does somebody else's name help.
        let caller = tx.actor().strip_prefix("user/").map(str::to_owned);
        if task.assignee_id.is_some()
            && [Some(&self.reviewer), caller.as_ref()].contains(&task.assignee_id.as_ref())
        {
            return Err(CreateReviewError::Own.into());
        }
        tx.continue_story(task.correlation_id);
        let review = Review {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            task_id: task.id,
            reviewer_id: self.reviewer.clone(),
            assignee_id: task.assignee_id.clone(),
            status: new.status,
            comments: new.comments,
            compliance: new.dhi.map(|dhi| dhi.compliance),
            efficiency: new.dhi.map(|dhi| dhi.efficiency),
            quality: new.dhi.map(|dhi| dhi.quality),
            timeliness: new.dhi.map(|dhi| dhi.timeliness),
            dhi_score,
            created_at: tx.now(),
        };
        review::insert(tx.conn(), &review).await?;
        let mut version = task.version;
        if review.status == ReviewStatus::ChangesRequested {
            let after = Task { status: TaskStatus::InProgress, ..task.clone() };
            version = save_task(tx, &task, after, Some(format!("review/{}", review.id))).await?.version;
        }
        events::task_reviewed(tx, &review, version);
        tx.change("review.create", format!("review/{}", review.id), 1, None, Some(&review));
        Ok(review)
    }
}
