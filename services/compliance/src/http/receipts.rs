use actix_web::web::{Data, Json};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Id, MayAnswer, Problem, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::receipt::{
    Receipt, ReceiptEvent, ReceiptNotice, ReceiptPurpose, ReceiptText, SCHEMA_VERSION,
};
use crate::office::{Office, Sealed};
use crate::store::consent::{self, ConsentRecord};
use crate::store::notice::{self, Notice};
use crate::store::purpose::{self, PurposeRecord};

/// What a receipt says that it is.
const RECEIPT: &str = "consent-receipt+jwt";

/// A signed receipt of what a person said to a purpose.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedReceipt {
    /// Id of the key that it is signed with, as `/compliance/keys` names it.
    kid: String,
    /// The document: a JWS in compact form, of the type `consent-receipt+jwt`.
    jws: String,
    /// What it says.
    content: Receipt,
}

pub async fn read(
    _: Can<ComplianceRead>,
    _: MayAnswer<503>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Json<SignedReceipt>> {
    let missing = || Problem::not_found(format!("receipt/{id}"));
    let mut conn = compliance.read().await?;
    let record = consent::find(&mut conn, id).await?.ok_or_else(missing)?;
    let purpose =
        purpose::at(&mut conn, &record.purpose, record.purpose_version).await?.ok_or_else(missing)?;
    let texts = match &record.notice_version {
        Some(version) => notice::texts(&mut conn, &record.purpose, version).await?,
        None => Vec::new(),
    };
    let content = receipt(&office, record, purpose, texts);
    let Sealed { kid, jws } = office.seal(RECEIPT, &content)?;
    Ok(Json(SignedReceipt { kid, jws, content }))
}

fn receipt(office: &Office, record: ConsentRecord, purpose: PurposeRecord, texts: Vec<Notice>) -> Receipt {
    let event_state = record.state();
    let text = |notice: Notice| ReceiptText {
        notice_id: notice.id,
        language: notice.language,
        sha256: notice.sha256,
    };
    let texts = texts.into_iter().map(text).collect();
    Receipt {
        iss: office.controller.clone(),
        jti: record.id,
        iat: record.created_at.timestamp(),
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: record.id,
        consent_id: record.consent_id,
        consent_version: record.version,
        pii_principal_id: record.subject,
        pii_controllers: vec![office.controller.clone()],
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
        jurisdiction: office.regime,
        withdrawal_method: "POST /consent/revoke, or whoever is responsible for the data".to_owned(),
    }
}
