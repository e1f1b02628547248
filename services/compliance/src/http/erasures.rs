use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceRead, ComplianceWrite};
use bhiv_service::Context;
use bhiv_web::{Accepted, Can, Cursor, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::cancel_erasure::CancelErasure;
use crate::commands::request_erasure::RequestErasure;
use crate::domain::erasure::{Certificate, ErasureStatus, NewErasure};
use crate::error::ERASURE_NOT_COMPLETED;
use crate::office::{CERTIFICATE, Office, Sealed};
use crate::store::document;
use crate::store::erasure::{self, Erasure, ErasureProgress, Filter};

/// Which erasures, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListErasures {
    /// Those of this person, for example `lead/0190...`.
    subject: Option<String>,
    /// Those that are so far.
    status: Option<ErasureStatus>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// A signed certificate of an erasure.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedCertificate {
    /// Id of the key that it is signed with, as `/compliance/keys` names it.
    kid: String,
    /// The document: a JWS in compact form, of the type `erasure-certificate+jwt`.
    jws: String,
    /// What it says.
    content: Certificate,
}

pub async fn request(
    who: Can<ComplianceWrite>,
    _: MayAnswer<409>,
    Valid(new): Valid<NewErasure>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Accepted<ErasureProgress>> {
    let command = RequestErasure { new, regime: office.regime };
    let begun = compliance.run(who.origin(), command).await?;
    Ok(Accepted::at(format!("/compliance/erasure/{}", begun.erasure.id), begun))
}

pub async fn list(
    _: Can<ComplianceRead>,
    ValidQuery(ListErasures { subject, status, limit, cursor }): ValidQuery<ListErasures>,
    compliance: Data<Context>,
) -> Result<Json<Page<Erasure>>> {
    let filter = Filter { subject, status };
    let mut conn = compliance.read().await?;
    let found = erasure::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = erasure::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |erasure| erasure.id)))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<ErasureProgress>> {
    found(&compliance, id).await.map(Json)
}

pub async fn cancel(
    who: Can<ComplianceWrite>,
    _: MayAnswer<409>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<ErasureProgress>> {
    Ok(Json(compliance.run(who.origin(), CancelErasure(id)).await?))
}

pub async fn certificate(
    _: Can<ComplianceRead>,
    _: MayAnswer<409>,
    _: MayAnswer<503>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Json<SignedCertificate>> {
    let progress = found(&compliance, id).await?;
    let waiting = progress.modules.iter().filter(|module| module.answered_at.is_none());
    let waiting: Vec<_> = waiting.map(|module| module.module.clone()).collect();
    let says = format!("the erasure is {}", progress.erasure.status);
    let Some(content) = document::certificate(progress, &office.controller) else {
        return Err(Problem::new(ERASURE_NOT_COMPLETED, says).with("waiting_for", waiting));
    };
    let Sealed { kid, jws } = office.seal(CERTIFICATE, &content)?;
    Ok(Json(SignedCertificate { kid, jws, content }))
}

async fn found(compliance: &Context, id: Uuid) -> Result<ErasureProgress> {
    let erasure = erasure::find(&mut *compliance.read().await?, id).await?;
    erasure.ok_or_else(|| Problem::not_found(format!("erasure/{id}")))
}
