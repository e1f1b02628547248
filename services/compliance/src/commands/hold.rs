//! Legal holds: persons who may not be erased for now.

use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use super::begin_erasure::without_names;
use crate::domain::erasure::ErasureStatus;
use crate::domain::hold::NewHold;
use crate::store::erasure;
use crate::store::hold::{self, Hold};

/// A person may not be erased. An erasure that was announced waits; one that has begun cannot be held.
#[derive(Debug)]
pub struct PlaceHold(pub NewHold);

/// A person may be erased again; what waited for it begins.
#[derive(Debug)]
pub struct ReleaseHold(pub Uuid);

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error("there is no hold {0}")]
    NotFound(Uuid),
    #[error("the erasure {0} of that person has begun already")]
    TooLate(Uuid),
    #[error("it was released already")]
    Released,
}

impl Refusal for HoldError {}

impl Command for PlaceHold {
    type Output = Hold;
    type Refusal = HoldError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Hold, Fault<HoldError>> {
        let NewHold { subject, reason } = self.0.clone();
        erasure::lock_all(tx.conn()).await?;
        let names = std::slice::from_ref(&subject);
        let begun = erasure::under_way(tx.conn(), names).await?;
        if let Some(begun) = begun.filter(|erasure| erasure.status == ErasureStatus::Running) {
            return Err(HoldError::TooLate(begun.id).into());
        }
        let hold = Hold {
            id: tx.id(),
            subject,
            reason,
            placed_by: tx.actor().to_owned(),
            created_at: tx.now(),
            released_by: None,
            released_at: None,
        };
        hold::insert(tx.conn(), &hold).await?;
        tx.audit("hold.place", format!("hold/{}", hold.id), None, Some(&hold));
        Ok(hold)
    }
}

impl Command for ReleaseHold {
    type Output = Hold;
    type Refusal = HoldError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Hold, Fault<HoldError>> {
        erasure::lock_all(tx.conn()).await?;
        let before = hold::lock(tx.conn(), self.0).await?.ok_or(HoldError::NotFound(self.0))?;
        if before.released_at.is_some() {
            return Err(HoldError::Released.into());
        }
        let now = tx.now();
        let after =
            Hold { released_by: Some(tx.actor().to_owned()), released_at: Some(now), ..before.clone() };
        hold::update(tx.conn(), &after).await?;
        tx.audit("hold.release", format!("hold/{}", after.id), Some(&before), Some(&after));
        for mut erasure in erasure::lock_held(tx.conn(), after.id).await? {
            let before = without_names(&erasure);
            erasure.status = ErasureStatus::Announced;
            erasure.hold_id = None;
            erasure.version += 1;
            erasure.updated_at = now;
            erasure::update(tx.conn(), &erasure).await?;
            let entity = format!("erasure/{}", erasure.id);
            tx.audit("erasure.resume", entity, Some(&before), Some(&without_names(&erasure)));
        }
        Ok(after)
    }
}
