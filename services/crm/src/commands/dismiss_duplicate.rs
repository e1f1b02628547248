use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use crate::domain::ids::LeadId;
use crate::store::{Owned as _, duplicate, lead};

/// Two leads that look alike are two people.
#[derive(Debug)]
pub struct DismissDuplicate {
    /// The one.
    pub id: LeadId,
    /// The other one.
    pub other: LeadId,
    /// Who says so.
    pub by: By,
}

/// Why nothing is dismissed.
#[derive(Debug, thiserror::Error)]
pub enum DismissDuplicateError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error("lead/{0} and lead/{1} are no open duplicates")]
    NoPair(LeadId, LeadId),
}

impl Refusal for DismissDuplicateError {}

impl Command for DismissDuplicate {
    type Output = ();
    type Refusal = DismissDuplicateError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<DismissDuplicateError>> {
        let lead = lead::find(tx.conn(), self.id).await?;
        let lead = lead.and_then(|lead| lead.within(&self.by.reach));
        let lead = lead.ok_or(DismissDuplicateError::NotFound(self.id))?;
        let now = tx.now();
        let dismissed = duplicate::dismiss(tx.conn(), self.id, Some(self.other), now).await?;
        if dismissed == 0 {
            return Err(DismissDuplicateError::NoPair(self.id, self.other).into());
        }
        tx.continue_story(lead.correlation_id);
        let other = serde_json::json!({ "other_id": self.other });
        tx.audit("lead.dismiss_duplicate", format!("lead/{}", self.id), None, Some(&other));
        Ok(())
    }
}
