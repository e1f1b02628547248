use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::changed_fields;
use crate::domain::ids::OpportunityId;
use crate::domain::opportunity::OpportunityChange;
use crate::store::opportunity::{self, Opportunity};

/// Changes fields of an opportunity.
#[derive(Debug)]
pub struct PatchOpportunity {
    /// Which opportunity.
    pub id: OpportunityId,
    /// What changes.
    pub change: OpportunityChange,
}

/// Why an opportunity stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchOpportunityError {
    #[error("there is no opportunity {0}")]
    NotFound(OpportunityId),
}

impl Refusal for PatchOpportunityError {}

impl Command for PatchOpportunity {
    type Output = Opportunity;
    type Refusal = PatchOpportunityError;

    async fn run(&self, tx: &mut Tx) -> Result<Opportunity, Fault<PatchOpportunityError>> {
        let before = opportunity::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(PatchOpportunityError::NotFound(self.id))?;
        let mut after = before.clone();
        let OpportunityChange { value, probability, expected_close_date } = self.change.clone();
        if let Some(value) = value {
            after.value = value.get();
        }
        if let Some(probability) = probability {
            after.probability = probability;
        }
        expected_close_date.apply(&mut after.expected_close_date);
        if changed_fields(&before, &after).is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        opportunity::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("opportunity/{}", after.id);
        tx.change("opportunity.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
