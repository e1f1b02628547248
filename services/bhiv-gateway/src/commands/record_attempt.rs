use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Origin, Tx};
use bhiv_webhook::Verdict;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::subscription;
use crate::store::webhook::{self, Attempt};

/// An attempt to deliver is over.
#[derive(Clone, Debug)]
pub struct RecordAttempt {
    /// To whom.
    pub subscription_id: Uuid,
    /// The event.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// Its number, from 1 on.
    pub attempt: i32,
    /// What it came to. `None`: nothing was sent, as the owner may not see the event now.
    pub verdict: Option<Verdict>,
    /// HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// When it began.
    pub at: DateTime<Utc>,
    /// A subscription without a success for so long is disabled.
    pub patience: TimeDelta,
}

impl RecordAttempt {
    /// In whose name it is noted.
    pub fn origin() -> Origin {
        Origin { actor: "service/core".to_owned(), ..Origin::default() }
    }

    /// A subscription that fails for too long, or that nobody is behind, ends.
    async fn note_failure(&self, tx: &mut Tx, verdict: Verdict) -> Result<(), Fault<Infallible>> {
        // It may be gone by now.
        let Some(before) = subscription::lock(tx.conn(), self.subscription_id).await? else { return Ok(()) };
        let mut after = before.clone();
        let since = *after.failing_since.get_or_insert(self.at);
        let reason = match verdict {
            Verdict::Gone => Some("gone"),
            _ if tx.now() - since >= self.patience => Some("failing"),
            _ => None,
        };
        if let Some(reason) = reason.filter(|_| before.enabled) {
            after.enabled = false;
            after.disabled_because = Some(reason.to_owned());
            after.version += 1;
            after.updated_at = tx.now();
            tx.audit(
                "subscription.disable",
                format!("subscription/{}", after.id),
                Some(&before),
                Some(&after),
            );
        }
        if after != before {
            subscription::update(tx.conn(), &after).await?;
        }
        Ok(())
    }
}

impl Command for RecordAttempt {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Some(verdict) = self.verdict else {
            webhook::finish(tx.conn(), self.subscription_id, self.event_id).await?;
            return Ok(());
        };
        let next = match verdict {
            Verdict::Retry(wait) => Some(tx.now() + wait),
            Verdict::Delivered | Verdict::GivenUp | Verdict::Gone => None,
        };
        let attempt = Attempt {
            id: tx.id(),
            subscription_id: self.subscription_id,
            event_id: self.event_id,
            event_type: self.event_type.clone(),
            attempt: self.attempt,
            outcome: verdict.name().to_owned(),
            status_code: self.status.map(i32::from),
            error: self.error.clone(),
            duration_ms: self.duration_ms,
            next_attempt_at: next,
            at: self.at,
        };
        if verdict == Verdict::Delivered {
            subscription::succeeds(tx.conn(), self.subscription_id).await?;
        } else {
            self.note_failure(tx, verdict).await?;
        }
        match next {
            Some(next) => webhook::postpone(tx.conn(), &attempt, next).await?,
            None => webhook::finish(tx.conn(), self.subscription_id, self.event_id).await?,
        }
        webhook::log(tx.conn(), &attempt).await?;
        Ok(())
    }
}
