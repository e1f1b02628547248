use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::store::applied::{self, TakenUp};

/// A module says from when it acts by what a person said.
#[derive(Debug)]
pub struct NoteApplication(pub TakenUp);

impl Command for NoteApplication {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        Ok(applied::note(tx.conn(), &self.0).await?)
    }
}
