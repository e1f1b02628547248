use bhiv_events::compliance::{ConsentGranted, ConsentRevoked};
use bhiv_events::{Contract as _, Event};
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::changes::Changes;
use crate::commands::note_consent::NoteConsent;
use crate::consent::Consents;

/// consent_granted, consent_revoked -> every replica knows what the person said, and no answer from before is given
/// any more.
pub struct NoteIt {
    pub consents: Consents,
    pub changes: Changes,
}

impl HandleAny for NoteIt {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        let malformed = |error| Failure::Never(format!("{}: {error}", event.type_));
        let (consent_id, person, purpose, state) = if event.type_ == ConsentGranted::KIND.type_ {
            let granted = event.read::<ConsentGranted>().map_err(malformed)?;
            (granted.consent_id, granted.person, granted.purpose, "granted")
        } else {
            let revoked = event.read::<ConsentRevoked>().map_err(malformed)?;
            (revoked.consent_id, revoked.person, revoked.purpose, "revoked")
        };
        NoteConsent { consent_id, version: event.sequence, person, purpose, state }.run(tx).await?;
        Ok(())
    }

    fn committed(&self) {
        self.consents.changed();
        self.changes.everywhere();
    }
}
