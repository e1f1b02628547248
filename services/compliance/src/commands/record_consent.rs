use bhiv_outbox::{Fault, Refusal, Tx};
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::consent::{ConsentState, Evidence, expiry};
use crate::events;
use crate::store::consent::{self, ConsentRecord};
use crate::store::expiry::{self as expiries, Expiry};
use crate::store::{notice, purpose};

/// What a person says to a purpose.
pub struct Said {
    pub subject: String,
    pub purpose: Purpose,
    pub notice_version: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
    pub evidence: Option<Evidence>,
    pub source_event: Option<Uuid>,
}

/// Why it is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    #[error("there is no purpose {0}")]
    UnknownPurpose(Purpose),
    #[error("nobody is asked to agree to {0} any more")]
    RetiredPurpose(Purpose),
    #[error("there is no notice {version} about {purpose} that can be agreed to now")]
    UnknownNotice { purpose: Purpose, version: String },
    #[error("a consent ends after it begins")]
    Over,
}

impl Refusal for ConsentError {}

/// Adds a record to what the person said to the purpose before, which `decide` is told: the part that granting
/// and revoking share.
pub async fn record_consent(
    tx: &mut Tx,
    said: Said,
    decide: impl FnOnce(Option<ConsentState>) -> ConsentState,
) -> Result<ConsentRecord, Fault<ConsentError>> {
    let Said { subject, purpose, notice_version, expires_at, evidence, source_event } = said;
    consent::lock(tx.conn(), &subject, &purpose).await?;
    let before = consent::latest(tx.conn(), &subject, &purpose).await?;
    let (id, now) = (tx.id(), tx.now());
    let consent_id = before.as_ref().map_or(id, |before| before.consent_id);
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    let registered = purpose::find(tx.conn(), &purpose).await?;
    let purpose_version = registered.as_ref().map(|registered| registered.version);
    if registered.is_none() && before.is_none() {
        return Err(ConsentError::UnknownPurpose(purpose).into());
    }
    let action = decide(before.map(|before| before.action));
    let expires_at = if action == ConsentState::Granted {
        let registered = registered.ok_or_else(|| ConsentError::UnknownPurpose(purpose.clone()))?;
        if !registered.enabled {
            return Err(ConsentError::RetiredPurpose(purpose).into());
        }
        if let Some(version) = &notice_version
            && !notice::is_valid(tx.conn(), &purpose, version, now).await?
        {
            return Err(ConsentError::UnknownNotice { purpose, version: version.clone() }.into());
        }
        if expires_at.is_some_and(|ends| ends <= now) {
            return Err(ConsentError::Over.into());
        }
        expiry(expires_at, registered.valid_days, now)
    } else {
        None
    };
    match expires_at {
        Some(expires_at) => {
            let (subject, purpose) = (subject.clone(), purpose.clone());
            expiries::put(tx.conn(), &Expiry { consent_id, subject, purpose, expires_at }).await?;
        }
        None => expiries::delete(tx.conn(), consent_id).await?,
    }
    tx.continue_story_of(&subject).await?;
    let record = ConsentRecord {
        id,
        consent_id,
        version,
        action,
        subject,
        purpose,
        notice_version,
        purpose_version,
        expires_at,
        expired: false,
        evidence,
        actor: tx.actor().to_owned(),
        source_event,
        correlation_id: tx.correlation(),
        created_at: now,
    };
    consent::insert(tx.conn(), &record).await?;
    events::consent_recorded(tx, &record);
    Ok(record)
}
