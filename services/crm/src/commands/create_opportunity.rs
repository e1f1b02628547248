use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::State as _;

use crate::domain::ids::LeadId;
use crate::domain::opportunity::{NewOpportunity, Stage};
use crate::events;
use crate::store::lead;
use crate::store::opportunity::{self, Opportunity};

/// Opens an opportunity on a lead.
#[derive(Debug)]
pub struct CreateOpportunity(pub NewOpportunity);

/// Why an opportunity is not opened.
#[derive(Debug, thiserror::Error)]
pub enum CreateOpportunityError {
    #[error("there is no lead {0}")]
    NoLead(LeadId),
    #[error("an opportunity cannot be opened as {0}")]
    Closed(Stage),
}

impl Refusal for CreateOpportunityError {}

impl Command for CreateOpportunity {
    type Output = Opportunity;
    type Refusal = CreateOpportunityError;

    async fn run(&self, tx: &mut Tx) -> Result<Opportunity, Fault<CreateOpportunityError>> {
        let new = &self.0;
        if new.stage.is_final() {
            return Err(CreateOpportunityError::Closed(new.stage).into());
        }
        let lead = lead::find(tx.conn(), new.lead_id).await?;
        let lead = lead.ok_or(CreateOpportunityError::NoLead(new.lead_id))?;
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
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        opportunity::insert(tx.conn(), &opportunity).await?;
        events::opportunity_created(tx, &opportunity);
        let entity = format!("opportunity/{}", opportunity.id);
        tx.change("opportunity.create", entity, 1, None, Some(&opportunity));
        Ok(opportunity)
    }
}
