use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceAdmin, ComplianceRead};
use bhiv_service::Context;
use bhiv_types::Purpose;
use bhiv_web::{Can, Created, MayAnswer, Problem, Result, Segment, Valid};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::write_purpose::{CreatePurpose, PatchPurpose};
use crate::domain::purpose::{NewPurpose, PurposeChange};
use crate::store::purpose::{self, PurposeRecord};

/// What data about persons may be used for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Purposes {
    /// Every purpose, by its id; or every version of one, the newest first.
    items: Vec<PurposeRecord>,
}

pub async fn create(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    Valid(new): Valid<NewPurpose>,
    compliance: Data<Context>,
) -> Result<Created<PurposeRecord>> {
    let purpose = compliance.run(who.origin(), CreatePurpose(new)).await?;
    Ok(Created::at(format!("/compliance/purposes/{}", purpose.id), purpose))
}

pub async fn list(_: Can<ComplianceRead>, compliance: Data<Context>) -> Result<Json<Purposes>> {
    let items = purpose::all(&mut *compliance.read().await?).await?;
    Ok(Json(Purposes { items }))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Segment(id): Segment<Purpose>,
    compliance: Data<Context>,
) -> Result<Json<PurposeRecord>> {
    let purpose = purpose::find(&mut *compliance.read().await?, &id).await?;
    purpose.map(Json).ok_or_else(|| Problem::not_found(format!("purpose/{id}")))
}

pub async fn versions(
    _: Can<ComplianceRead>,
    Segment(id): Segment<Purpose>,
    compliance: Data<Context>,
) -> Result<Json<Purposes>> {
    let items = purpose::versions(&mut *compliance.read().await?, &id).await?;
    if items.is_empty() {
        return Err(Problem::not_found(format!("purpose/{id}")));
    }
    Ok(Json(Purposes { items }))
}

pub async fn patch(
    who: Can<ComplianceAdmin>,
    Segment(id): Segment<Purpose>,
    Valid(change): Valid<PurposeChange>,
    compliance: Data<Context>,
) -> Result<Json<PurposeRecord>> {
    Ok(Json(compliance.run(who.origin(), PatchPurpose { id, change }).await?))
}
