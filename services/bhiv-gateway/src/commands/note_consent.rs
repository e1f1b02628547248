use std::convert::Infallible;

use bhiv_events::ConsentApplied;
use bhiv_outbox::{Command, Fault, Tx};
use uuid::Uuid;

use crate::domain::consent::canonical;
use crate::store::consent;

/// A person said something to a purpose. If it is not what counted before, the gateway tells from when it acts by it.
#[derive(Debug)]
pub struct NoteConsent {
    /// The consent.
    pub consent_id: Uuid,
    /// Which of its versions it is.
    pub version: i64,
    /// Who said it, for example `lead/0190...`.
    pub person: String,
    /// To what.
    pub purpose: String,
    /// `granted` or `revoked`.
    pub state: &'static str,
}

impl Command for NoteConsent {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let now = tx.now();
        let said = (canonical(&self.person), &self.purpose);
        if consent::note(tx.conn(), (&said.0, said.1), self.state, self.version, now).await? {
            let applied = ConsentApplied { consent_id: self.consent_id, state: self.state.to_owned() };
            tx.consent_applied(self.version, &applied);
        }
        Ok(())
    }
}
