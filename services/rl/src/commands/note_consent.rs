use std::convert::Infallible;

use bhiv_events::ConsentApplied;
use bhiv_outbox::{Command, Fault, Tx};
use uuid::Uuid;

use super::forget_persons::forget;
use crate::store::consent::{self, Consent};

/// Takes note of what a person said to a purpose. Who withdraws consent to what a policy learns for is forgotten by it.
#[derive(Debug)]
pub struct NoteConsent {
    /// What they said.
    pub consent: Consent,
    /// The consent's id at compliance.
    pub consent_id: Uuid,
}

impl Command for NoteConsent {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Self { consent, consent_id } = self;
        let counts = consent::note(tx.conn(), consent).await?;
        if consent.withdrawn {
            forget(tx, std::slice::from_ref(&consent.person), Some(&consent.purpose)).await?;
        }
        if counts {
            let state = if consent.withdrawn { "revoked" } else { "granted" };
            let applied = ConsentApplied { consent_id: *consent_id, state: state.to_owned() };
            tx.consent_applied(consent.sequence, &applied);
        }
        Ok(())
    }
}
