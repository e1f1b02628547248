use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::store::verdict::{self, Verdict};

/// Takes note that compliance found a violation.
#[derive(Debug)]
pub struct NoteViolation(pub Verdict);

impl Command for NoteViolation {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        Ok(verdict::insert(tx.conn(), &self.0).await?)
    }
}

/// Takes note that compliance found nothing: older violations in the same kind of event about the same thing are over.
#[derive(Debug)]
pub struct NoteCompliance {
    /// What it was about.
    pub entity: String,
    /// The kind of event.
    pub event_type: String,
    /// The check.
    pub check_id: uuid::Uuid,
}

impl Command for NoteCompliance {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        Ok(verdict::lift_older(tx.conn(), &self.entity, &self.event_type, self.check_id).await?)
    }
}
