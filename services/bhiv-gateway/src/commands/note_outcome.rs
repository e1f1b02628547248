use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use serde_json::Value;
use uuid::Uuid;

use crate::store::unified::{self, Outcome};

/// Something happened that another event caused: if that one told of a unified event, it is what became of it.
#[derive(Debug)]
pub struct NoteOutcome {
    /// The event.
    pub id: Uuid,
    /// The event that caused it.
    pub cause: Uuid,
    /// What happened.
    pub kind: String,
    /// What the event says of it.
    pub data: Value,
}

impl Command for NoteOutcome {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Some(unified_id) = unified::told_by(tx.conn(), self.cause).await? else { return Ok(()) };
        let outcome = Outcome {
            id: self.id,
            unified_id,
            kind: self.kind.clone(),
            data: self.data.clone(),
            created_at: tx.now(),
        };
        unified::insert_outcome(tx.conn(), &outcome).await?;
        Ok(())
    }
}
