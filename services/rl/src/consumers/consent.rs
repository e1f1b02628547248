use bhiv_events::Event;
use bhiv_events::compliance::{ConsentGranted, ConsentRevoked};
use bhiv_outbox::{Command as _, Failure, Handle, Tx};
use uuid::Uuid;

use crate::commands::note_consent::NoteConsent;
use crate::store::consent::Consent;

/// consent_granted -> what needed it may be done again. What was forgotten stays forgotten.
pub struct NoteTheGrant;

impl Handle<ConsentGranted> for NoteTheGrant {
    async fn handle(&self, tx: &mut Tx, event: &Event, granted: ConsentGranted) -> Result<(), Failure> {
        note(tx, event, granted.consent_id, (granted.person, granted.purpose), false).await
    }
}

/// consent_revoked -> what needs it is not done, and what was learned for that purpose is forgotten.
pub struct NoteTheWithdrawal;

impl Handle<ConsentRevoked> for NoteTheWithdrawal {
    async fn handle(&self, tx: &mut Tx, event: &Event, revoked: ConsentRevoked) -> Result<(), Failure> {
        note(tx, event, revoked.consent_id, (revoked.person, revoked.purpose), true).await
    }
}

async fn note(
    tx: &mut Tx,
    event: &Event,
    consent_id: Uuid,
    (person, purpose): (String, String),
    withdrawn: bool,
) -> Result<(), Failure> {
    if !tx.mentions_erased(event).await? {
        let consent = Consent { person, purpose, sequence: event.sequence, withdrawn };
        NoteConsent { consent, consent_id }.run(tx).await?;
    }
    Ok(())
}
