use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Patch;
use chrono::NaiveDate;

use super::{By, changed_fields, hand_over};
use crate::domain::ids::{AccountId, ContactId, OpportunityId};
use crate::domain::opportunity::OpportunityChange;
use crate::store::opportunity::{self, Opportunity};
use crate::store::{Owned as _, account, contact};

/// Changes fields of an opportunity.
#[derive(Debug)]
pub struct PatchOpportunity {
    /// Which opportunity.
    pub id: OpportunityId,
    /// What changes.
    pub change: OpportunityChange,
    /// Who changes it.
    pub by: By,
}

/// Why an opportunity stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchOpportunityError {
    #[error("there is no opportunity {0}")]
    NotFound(OpportunityId),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    #[error("there is no contact {0}")]
    NoContact(ContactId),
    #[error("{0} is over: an opportunity is decided today, {1}, or later")]
    Past(NaiveDate, NaiveDate),
}

impl Refusal for PatchOpportunityError {}

impl Command for PatchOpportunity {
    type Output = Opportunity;
    type Refusal = PatchOpportunityError;

    async fn run(&self, tx: &mut Tx) -> Result<Opportunity, Fault<PatchOpportunityError>> {
        let before = opportunity::lock(tx.conn(), self.id).await?;
        let before = before.and_then(|opportunity| opportunity.within(&self.by.reach));
        let before = before.ok_or(PatchOpportunityError::NotFound(self.id))?;
        self.check(tx).await?;
        let mut after = before.clone();
        let change = self.change.clone();
        let OpportunityChange { value, probability, expected_close_date, name, .. } = change;
        if let Some(value) = value {
            after.value = value.get();
        }
        if let Some(probability) = probability {
            after.probability = probability;
        }
        expected_close_date.apply(&mut after.expected_close_date);
        name.apply(&mut after.name);
        change.account_id.apply(&mut after.account_id);
        change.contact_id.apply(&mut after.contact_id);
        hand_over(change.owner, change.team, (&mut after.owner, &mut after.team));
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

impl PatchOpportunity {
    /// What it will refer to is there, and what is to come is not over.
    async fn check(&self, tx: &mut Tx) -> Result<(), Fault<PatchOpportunityError>> {
        let today = tx.now().date_naive();
        if let Patch::Set(date) = self.change.expected_close_date
            && date < today
        {
            return Err(PatchOpportunityError::Past(date, today).into());
        }
        if let Patch::Set(id) = self.change.account_id {
            let account = account::find(tx.conn(), id).await?.and_then(|it| it.within(&self.by.reach));
            account.ok_or(PatchOpportunityError::NoAccount(id))?;
        }
        if let Patch::Set(id) = self.change.contact_id {
            let contact = contact::find(tx.conn(), id).await?.and_then(|it| it.within(&self.by.reach));
            contact.ok_or(PatchOpportunityError::NoContact(id))?;
        }
        Ok(())
    }
}
