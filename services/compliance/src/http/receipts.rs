use actix_web::web::{Data, Json};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Id, MayAnswer, Problem, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::receipt::Receipt;
use crate::office::{Office, RECEIPT, Sealed};
use crate::store::{consent, document};

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
    let receipt = document::receipt(&mut conn, record, &office.controller, office.regime).await?;
    let content = receipt.ok_or_else(missing)?;
    let Sealed { kid, jws } = office.seal(RECEIPT, &content)?;
    Ok(Json(SignedReceipt { kid, jws, content }))
}
