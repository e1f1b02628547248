use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::domain::ids::LeadId;
use crate::events;
use crate::store::lead;

/// Notes the score of a lead. A lead that is gone needs none.
#[derive(Debug)]
pub struct ScoreLead {
    /// Which lead.
    pub id: LeadId,
    /// Predicted chance that it is won, 0 to 1.
    pub score: f64,
}

impl Command for ScoreLead {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Some(before) = lead::lock(tx.conn(), self.id).await? else { return Ok(()) };
        let mut lead = before.clone();
        lead.score = Some(self.score);
        lead.version += 1;
        lead.updated_at = tx.now();
        lead::update(tx.conn(), &lead).await?;
        events::lead_updated(tx, &lead, vec!["score".to_owned()]);
        tx.change("lead.score", format!("lead/{}", lead.id), lead.version, Some(&before), Some(&lead));
        Ok(())
    }
}
