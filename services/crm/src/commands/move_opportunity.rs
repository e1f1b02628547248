use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::By;
use crate::domain::ids::OpportunityId;
use crate::domain::opportunity::Stage;
use crate::events;
use crate::store::opportunity::{self, Opportunity};
use crate::store::{Owned as _, stage};

/// Moves an opportunity along the pipeline.
#[derive(Debug)]
pub struct MoveOpportunity {
    /// Which opportunity.
    pub id: OpportunityId,
    /// Where it goes.
    pub stage: Stage,
    /// Why it was lost.
    pub reason: Option<String>,
    /// Who moves it.
    pub by: By,
}

/// Why an opportunity stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum MoveOpportunityError {
    #[error("there is no opportunity {0}")]
    NotFound(OpportunityId),
    #[error(transparent)]
    Stage(#[from] IllegalTransition),
    #[error("only what is lost has a reason")]
    NotLost,
}

impl Refusal for MoveOpportunityError {}

impl Command for MoveOpportunity {
    type Output = Opportunity;
    type Refusal = MoveOpportunityError;

    async fn run(&self, tx: &mut Tx) -> Result<Opportunity, Fault<MoveOpportunityError>> {
        let before = opportunity::lock(tx.conn(), self.id).await?;
        let before = before.and_then(|opportunity| opportunity.within(&self.by.reach));
        let before = before.ok_or(MoveOpportunityError::NotFound(self.id))?;
        if self.reason.is_some() && self.stage != Stage::Lost {
            return Err(MoveOpportunityError::NotLost.into());
        }
        let stage = before.stage.become_(self.stage).map_err(MoveOpportunityError::from)?;
        let after = Opportunity {
            stage,
            probability: stage.usual_probability(),
            lost_reason: self.reason.clone(),
            closed_at: stage.is_closed().then(|| tx.now()),
            version: before.version + 1,
            updated_at: tx.now(),
            ..before.clone()
        };
        opportunity::update(tx.conn(), &after).await?;
        stage::enter(tx.conn(), &after, after.updated_at).await?;
        tx.continue_story(after.correlation_id);
        events::opportunity_moved(tx, &after, before.stage);
        let entity = format!("opportunity/{}", after.id);
        tx.change("opportunity.move", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
