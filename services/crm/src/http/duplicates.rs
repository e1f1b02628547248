use actix_web::web::{Data, Json};
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, NoContent, Page, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use super::leads::seen;
use crate::commands::By;
use crate::commands::dismiss_duplicate::DismissDuplicate;
use crate::commands::merge_lead::MergeLead;
use crate::commands::unmerge_lead::UnmergeLead;
use crate::domain::ids::LeadId;
use crate::store::duplicate::{self, Duplicate};
use crate::store::lead::Lead;

/// How many pairs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDuplicates {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(ListDuplicates { limit, cursor }): ValidQuery<ListDuplicates>,
    crm: Data<Context>,
) -> Result<Json<Page<Duplicate>>> {
    let (reach, place) = (who.reach(), Cursor::place(cursor)?);
    let mut conn = crm.read().await?;
    let pairs = duplicate::list(&mut conn, &reach, place, limit.and_one()).await?;
    let total = duplicate::count(&mut conn, &reach).await?;
    Ok(Json(Page::new(pairs, limit, total, |pair| Cursor::at(&pair.score, pair.id))))
}

/// What looks like a lead.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct Alike {
    /// The surest first; a hundred at most.
    items: Vec<Duplicate>,
}

pub async fn of(who: Can<CrmRead>, Id(id): Id<LeadId>, crm: Data<Context>) -> Result<Json<Alike>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who.reach()).await?;
    Ok(Json(Alike { items: duplicate::of(&mut conn, id).await? }))
}

/// Which lead is somebody else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// It.
    other: LeadId,
}

pub async fn dismiss(
    who: Can<CrmWrite>,
    Id(id): Id<LeadId>,
    Valid(Dismissal { other }): Valid<Dismissal>,
    crm: Data<Context>,
) -> Result<NoContent> {
    crm.run(who.origin(), DismissDuplicate { id, other, by: By::from(&*who.caller) }).await?;
    Ok(NoContent)
}

/// Which lead ends in this one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merging {
    /// It.
    from: LeadId,
}

pub async fn merge(
    who: Can<CrmWrite>,
    Id(id): Id<LeadId>,
    Valid(Merging { from }): Valid<Merging>,
    crm: Data<Context>,
) -> Result<Json<Lead>> {
    Ok(Json(crm.run(who.origin(), MergeLead { id, from, by: By::from(&*who.caller) }).await?))
}

pub async fn unmerge(who: Can<CrmWrite>, Id(id): Id<LeadId>, crm: Data<Context>) -> Result<Json<Lead>> {
    Ok(Json(crm.run(who.origin(), UnmergeLead { id, by: By::from(&*who.caller) }).await?))
}
