use bhiv_events::Event;
use bhiv_events::logistics::DeliveryCompleted;
use bhiv_outbox::{Command as _, Failure, Fault, Handle, Tx};

use crate::commands::By;
use crate::commands::move_opportunity::{MoveOpportunity, MoveOpportunityError};
use crate::domain::opportunity::Stage;

/// delivery_completed -> the opportunity behind the order is won.
pub struct WinTheOpportunity;

impl Handle<DeliveryCompleted> for WinTheOpportunity {
    async fn handle(&self, tx: &mut Tx, _: &Event, delivery: DeliveryCompleted) -> Result<(), Failure> {
        let Some(opportunity_id) = delivery.opportunity_id else { return Ok(()) };
        let id = opportunity_id.into();
        let won = MoveOpportunity { id, stage: Stage::Won, reason: None, by: By::itself() }.run(tx).await;
        match won {
            // Decided already, or a client named an opportunity that never was: nothing to win.
            Err(Fault::Refused(MoveOpportunityError::Stage(_) | MoveOpportunityError::NotFound(_))) => Ok(()),
            won => won.map(drop).map_err(Failure::from),
        }
    }
}
