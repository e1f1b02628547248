use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use super::forget_persons::forget;
use crate::store::consent::{self, Consent};

/// Takes note of what a person said to a purpose. Who withdraws consent to what a policy learns for is forgotten by it.
#[derive(Debug)]
pub struct NoteConsent(pub Consent);

impl Command for NoteConsent {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        consent::note(tx.conn(), &self.0).await?;
        if self.0.withdrawn {
            forget(tx, std::slice::from_ref(&self.0.person), Some(&self.0.purpose)).await?;
        }
        Ok(())
    }
}
