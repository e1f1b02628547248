use bhiv_outbox::{Command, Fault, Tx};

use super::record_consent::{ConsentError, Said, record_consent};
use crate::domain::consent::{ConsentState, Revocation};
use crate::store::consent::ConsentRecord;

/// A person says no to a purpose: withdraws their consent, or refuses it.
#[derive(Debug)]
pub struct RevokeConsent(pub Revocation);

impl Command for RevokeConsent {
    type Output = ConsentRecord;
    type Refusal = ConsentError;

    async fn run(&self, tx: &mut Tx) -> Result<ConsentRecord, Fault<ConsentError>> {
        let Revocation { subject, purpose, evidence } = self.0.clone();
        let said =
            Said { subject, purpose, notice_version: None, expires_at: None, evidence, source_event: None };
        let record = record_consent(tx, said, ConsentState::revoked).await?;
        tx.audit("consent.revoke", format!("consent/{}", record.consent_id), None, Some(&record));
        Ok(record)
    }
}
