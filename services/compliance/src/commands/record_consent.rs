use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use bhiv_types::Purpose;
use uuid::Uuid;

use crate::domain::consent::{ConsentState, Evidence};
use crate::events;
use crate::store::consent::{self, ConsentRecord};

/// What a person says to a purpose.
pub struct Said {
    pub subject: String,
    pub purpose: Purpose,
    pub notice_version: Option<String>,
    pub evidence: Option<Evidence>,
    pub source_event: Option<Uuid>,
}

/// Adds a record to what the person said to the purpose before, which `decide` is told: the part that granting
/// and revoking share.
pub async fn record_consent(
    tx: &mut Tx,
    said: Said,
    decide: impl FnOnce(Option<ConsentState>) -> ConsentState,
) -> Result<ConsentRecord, DieselError> {
    let Said { subject, purpose, notice_version, evidence, source_event } = said;
    consent::lock(tx.conn(), &subject, &purpose).await?;
    let before = consent::latest(tx.conn(), &subject, &purpose).await?;
    tx.continue_story_of(&subject).await?;
    let id = tx.id();
    let record = ConsentRecord {
        id,
        consent_id: before.as_ref().map_or(id, |before| before.consent_id),
        version: before.as_ref().map_or(1, |before| before.version + 1),
        action: decide(before.map(|before| before.action)),
        subject,
        purpose,
        notice_version,
        evidence,
        actor: tx.actor().to_owned(),
        source_event,
        correlation_id: tx.correlation(),
        created_at: tx.now(),
    };
    consent::insert(tx.conn(), &record).await?;
    events::consent_recorded(tx, &record);
    Ok(record)
}
