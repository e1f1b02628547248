//! Rows as what is signed.

use bhiv_db::Conn;
use diesel::QueryResult;

use super::consent::ConsentRecord;
use super::erasure::ErasureProgress;
use super::notice::Notice;
use super::{notice, purpose};
use crate::domain::erasure::Certificate;
use crate::domain::receipt::{
    Receipt, ReceiptEvent, ReceiptNotice, ReceiptPurpose, ReceiptText, SCHEMA_VERSION,
};
use crate::domain::regime::Regime;

/// The receipt of a record, with its purpose and its notice as they were; none, if nobody registered its purpose.
pub async fn receipt(
    conn: &mut Conn,
    record: ConsentRecord,
    controller: &str,
    regime: Regime,
) -> QueryResult<Option<Receipt>> {
    let Some(purpose) = purpose::at(conn, &record.purpose, record.purpose_version).await? else {
        return Ok(None);
    };
    let texts = match &record.notice_version {
        Some(version) => notice::texts(conn, &record.purpose, version).await?,
        None => Vec::new(),
    };
    let text = |notice: Notice| ReceiptText {
        notice_id: notice.id,
        language: notice.language,
        sha256: notice.sha256,
    };
    let texts = texts.into_iter().map(text).collect();
    let event_state = record.state();
    Ok(Some(Receipt {
        iss: controller.to_owned(),
        jti: record.id,
        iat: record.created_at.timestamp(),
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: record.id,
        consent_id: record.consent_id,
        consent_version: record.version,
        pii_principal_id: record.subject,
        pii_controllers: vec![controller.to_owned()],
        purposes: vec![ReceiptPurpose {
            purpose: record.purpose,
            version: record.purpose_version,
            name: purpose.name,
            description: purpose.description,
            lawful_basis: purpose.lawful_basis,
            pii_types: purpose.data_categories,
            recipient_third_parties: purpose.recipients,
        }],
        privacy_notice: record.notice_version.map(|version| ReceiptNotice { version, texts }),
        event: ReceiptEvent {
            event_time: record.created_at,
            expires_at: record.expires_at,
            event_state,
            entity_id: record.actor,
            source_event: record.source_event,
        },
        jurisdiction: regime,
        withdrawal_method: "POST /consent/revoke, or whoever is responsible for the data".to_owned(),
    }))
}

/// The certificate of an erasure, if it is complete.
pub fn certificate(progress: ErasureProgress, controller: &str) -> Option<Certificate> {
    let ErasureProgress { erasure, modules } = progress;
    let completed_at = erasure.completed_at?;
    Some(Certificate {
        iss: controller.to_owned(),
        jti: erasure.id,
        iat: completed_at.timestamp(),
        sub: erasure.subject,
        regime: erasure.regime,
        requested_at: erasure.created_at,
        started_at: erasure.started_at,
        completed_at,
        modules,
    })
}
