use bhiv_outbox::{Command, Fault, Tx};
use uuid::Uuid;

use super::record_consent::{ConsentError, Said, record_consent};
use crate::domain::consent::{ConsentState, Grant};
use crate::store::consent::ConsentRecord;

/// A person agrees to a purpose, perhaps again: the notice may be a newer one.
#[derive(Debug)]
pub struct GrantConsent {
    /// Who agrees to what.
    pub grant: Grant,
    /// The event that it is learned from, if it is.
    pub source_event: Option<Uuid>,
}

impl Command for GrantConsent {
    type Output = ConsentRecord;
    type Refusal = ConsentError;

    async fn run(&self, tx: &mut Tx) -> Result<ConsentRecord, Fault<ConsentError>> {
        let Grant { subject, purpose, notice_version, expires_at, evidence } = self.grant.clone();
        let said =
            Said { subject, purpose, notice_version, expires_at, evidence, source_event: self.source_event };
        let record = record_consent(tx, said, |_| ConsentState::Granted).await?;
        tx.audit("consent.grant", format!("consent/{}", record.consent_id), None, Some(&record));
        Ok(record)
    }
}
