use bhiv_events::Event;
use bhiv_events::rl::DecisionMade;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};
use uuid::Uuid;

use crate::commands::decide_order::DecideOrder;

/// decision_made -> a pending order that it is about is approved or put on hold.
pub struct DecideTheOrder;

impl Handle<DecisionMade> for DecideTheOrder {
    async fn handle(&self, tx: &mut Tx, _: &Event, made: DecisionMade) -> Result<(), Failure> {
        let id = made.reference.as_deref().and_then(|reference| reference.strip_prefix("order/"));
        let Some(Ok(id)) = id.map(Uuid::try_parse) else { return Ok(()) };
        // Decisions about orders can be of other kinds, with actions that move no order.
        let Ok(decision) = made.action.parse() else { return Ok(()) };
        let reason = format!("decision/{}", made.decision_id);
        DecideOrder { id: id.into(), decision, reason }.run(tx).await?;
        Ok(())
    }
}
