//! Trying parked messages again.

use bhiv_broker::wire;
use bhiv_db::Error;

use super::failing::{EARLY, Reason, into_error, retry_delay};
use super::handling::{HANDLER_TIMEOUT, turn};
use super::rows::{self, Parked};
use super::{Incoming, Outcome, Processor, Raw, Work};
use crate::bindings::Binding;
use crate::{Failure, Tx};

/// Tries of a parked message before it becomes a dead letter: about an hour.
const ATTEMPTS: i32 = 12;

impl Processor {
    /// Tries the parked messages whose time has come; answers how many there were.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn retry_parked(&self) -> Result<usize, Error> {
        let mut tried = 0;
        while self.retry_one().await.map_err(into_error)? {
            tried += 1;
        }
        Ok(tried)
    }

    /// Handles the next parked message and unparks it in the same transaction; says in another one if that
    /// fails.
    async fn retry_one(&self) -> Result<bool, Failure> {
        let mut tx = self.begin().await?;
        let Some(parked) = rows::next_due(tx.conn()).await? else { return tx.end(Ok(false)).await };
        let handled = self.handle_parked(&mut tx, &parked).await;
        match tx.end(handled).await {
            Ok((outcome, done)) => {
                self.metrics.outcome(&parked.consumer, &outcome);
                if let Some((binding, incoming)) = done {
                    self.done(&Work { incoming: &incoming, binding });
                }
                Ok(true)
            }
            Err(Failure::Database(error @ Error::Unavailable(_))) => Err(error.into()),
            Err(failure) => {
                let reason = Reason::from(failure);
                let mut tx = self.begin().await?;
                let noted = self.fail_again(&mut tx, &parked, &reason).await;
                tx.end(noted).await.map(|()| true)
            }
        }
    }

    /// What became of it, and what it was if that is done.
    async fn handle_parked(
        &self,
        tx: &mut Tx,
        parked: &Parked,
    ) -> Result<(Outcome, Option<(&Binding, Incoming)>), Failure> {
        let raw = parked.raw();
        let event =
            wire::read(&raw.headers, &raw.body).map_err(|malformed| Failure::Never(malformed.to_string()))?;
        let binding = self
            .bindings
            .of(&event, "")
            .into_iter()
            .find(|binding| binding.consumer == parked.consumer)
            .ok_or_else(|| Failure::Never(format!("there is no consumer {} any more", parked.consumer)))?;
        let incoming = Incoming { event, raw };
        let work = Work { incoming: &incoming, binding };
        let outcome = turn(tx, work).await?;
        match &outcome {
            Outcome::Done => self.hand_over(tx, binding, &[work], HANDLER_TIMEOUT).await?,
            Outcome::Early(missing) => {
                let reason = Reason { class: EARLY, error: missing.clone(), is_final: false };
                self.fail_again(tx, parked, &reason).await?;
                return Ok((outcome, None));
            }
            _ => {}
        }
        rows::unpark(tx.conn(), &parked.consumer, parked.message_id).await?;
        let done = (outcome == Outcome::Done).then_some((binding, incoming));
        Ok((outcome, done))
    }

    async fn fail_again(&self, tx: &mut Tx, parked: &Parked, reason: &Reason) -> Result<(), Failure> {
        if !reason.is_final && parked.attempts < ATTEMPTS {
            let delay = retry_delay(parked.attempts + 1);
            rows::park_again(tx.conn(), parked, reason.class, &reason.error, delay).await?;
            return Ok(());
        }
        rows::unpark(tx.conn(), &parked.consumer, parked.message_id).await?;
        // So that it is handled, once, when an operator puts it back.
        rows::forget(tx.conn(), parked.message_id, &parked.consumer).await?;
        self.dead_letter(tx, parked.message_id, &parked.raw(), reason.class, &reason.error, parked.attempts);
        Ok(())
    }
}

impl Parked {
    fn raw(&self) -> Raw {
        Raw { queue: self.queue.clone(), headers: self.headers(), body: self.payload.clone() }
    }
}
