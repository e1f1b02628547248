use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceAdmin, ComplianceRead};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::hold::{PlaceHold, ReleaseHold};
use crate::domain::hold::NewHold;
use crate::store::hold::{self, Filter, Hold};

/// Which holds, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListHolds {
    /// Those on this person, for example `lead/0190...`.
    subject: Option<String>,
    /// Those that stand, or those that were released.
    standing: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn place(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    Valid(new): Valid<NewHold>,
    compliance: Data<Context>,
) -> Result<Created<Hold>> {
    let hold = compliance.run(who.origin(), PlaceHold(new)).await?;
    Ok(Created::at(format!("/compliance/holds/{}", hold.id), hold))
}

pub async fn list(
    _: Can<ComplianceRead>,
    ValidQuery(ListHolds { subject, standing, limit, cursor }): ValidQuery<ListHolds>,
    compliance: Data<Context>,
) -> Result<Json<Page<Hold>>> {
    let filter = Filter { subject, standing };
    let mut conn = compliance.read().await?;
    let found = hold::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = hold::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |hold| hold.id)))
}

pub async fn read(_: Can<ComplianceRead>, Id(id): Id<Uuid>, compliance: Data<Context>) -> Result<Json<Hold>> {
    let hold = hold::find(&mut *compliance.read().await?, id).await?;
    hold.map(Json).ok_or_else(|| Problem::not_found(format!("hold/{id}")))
}

pub async fn release(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<Hold>> {
    Ok(Json(compliance.run(who.origin(), ReleaseHold(id)).await?))
}
