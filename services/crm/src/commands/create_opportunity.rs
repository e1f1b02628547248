use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::State as _;
use chrono::NaiveDate;

use super::By;
use crate::domain::ids::{AccountId, ContactId, LeadId};
use crate::domain::opportunity::{NewOpportunity, Stage};
use crate::domain::owner::Owner;
use crate::events;
use crate::store::opportunity::{self, Opportunity};
use crate::store::{Owned as _, account, contact, lead, stage};

/// Opens an opportunity on a lead.
#[derive(Debug)]
pub struct CreateOpportunity {
    /// What is known of it.
    pub new: NewOpportunity,
    /// Who opens it.
    pub by: By,
}

/// Why an opportunity is not opened.
#[derive(Debug, thiserror::Error)]
pub enum CreateOpportunityError {
    #[error("there is no lead {0}")]
    NoLead(LeadId),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    #[error("there is no contact {0}")]
    NoContact(ContactId),
    #[error("an opportunity cannot be opened as {0}")]
    Closed(Stage),
    #[error("{0} is over: an opportunity is decided today, {1}, or later")]
    Past(NaiveDate, NaiveDate),
}

impl Refusal for CreateOpportunityError {}

impl Command for CreateOpportunity {
    type Output = Opportunity;
    type Refusal = CreateOpportunityError;

    async fn run(&self, tx: &mut Tx) -> Result<Opportunity, Fault<CreateOpportunityError>> {
        let new = self.new.clone();
        if new.stage.is_final() {
            return Err(CreateOpportunityError::Closed(new.stage).into());
        }
        let today = tx.now().date_naive();
        if let Some(past) = new.expected_close_date.filter(|date| *date < today) {
            return Err(CreateOpportunityError::Past(past, today).into());
        }
        let lead = lead::hold(tx.conn(), new.lead_id).await?.and_then(|lead| lead.within(&self.by.reach));
        let lead = lead.ok_or(CreateOpportunityError::NoLead(new.lead_id))?;
        if let Some(id) = new.account_id {
            let account = account::find(tx.conn(), id).await?.and_then(|it| it.within(&self.by.reach));
            account.ok_or(CreateOpportunityError::NoAccount(id))?;
        }
        if let Some(id) = new.contact_id {
            let contact = contact::find(tx.conn(), id).await?.and_then(|it| it.within(&self.by.reach));
            contact.ok_or(CreateOpportunityError::NoContact(id))?;
        }
        tx.continue_story(lead.correlation_id);
        let opportunity = Opportunity {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            lead_id: lead.id,
            value: new.value.get(),
            currency: new.currency,
            stage: new.stage,
            probability: new.probability.unwrap_or_else(|| new.stage.usual_probability()),
            expected_close_date: new.expected_close_date,
            name: new.name,
            account_id: new.account_id,
            contact_id: new.contact_id,
            owner: new.owner.map_or(lead.owner, Owner::from),
            team: new.team.or(lead.team),
            lost_reason: None,
            closed_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        opportunity::insert(tx.conn(), &opportunity).await?;
        let now = tx.now();
        stage::enter(tx.conn(), &opportunity, now).await?;
        events::opportunity_created(tx, &opportunity);
        let entity = format!("opportunity/{}", opportunity.id);
        tx.change("opportunity.create", entity, 1, None, Some(&opportunity));
        Ok(opportunity)
    }
}
