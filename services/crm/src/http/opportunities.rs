use actix_web::web::{Data, Json};
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_opportunity::CreateOpportunity;
use crate::commands::move_opportunity::MoveOpportunity;
use crate::commands::patch_opportunity::PatchOpportunity;
use crate::domain::ids::{LeadId, OpportunityId};
use crate::domain::opportunity::{NewOpportunity, OpportunityChange, Stage, StageChange};
use crate::store::opportunity::{self, Filter, Opportunity};

/// Which opportunities, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOpportunities {
    /// Those of this lead.
    lead_id: Option<LeadId>,
    /// Those at this stage.
    stage: Option<Stage>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewOpportunity>,
    crm: Data<Context>,
) -> Result<Created<Opportunity>> {
    let opportunity = crm.run(who.origin(), CreateOpportunity(new)).await?;
    Ok(Created::at(format!("/crm/opportunities/{}", opportunity.id), opportunity))
}

pub async fn list(
    _: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListOpportunities>,
    crm: Data<Context>,
) -> Result<Json<Page<Opportunity>>> {
    let ListOpportunities { lead_id, stage, limit, cursor } = query;
    let filter = Filter { lead_id, stage };
    let mut conn = crm.read().await?;
    let found = opportunity::list(&mut conn, filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = opportunity::count(&mut conn, filter).await?;
    Ok(Json(Page::new(found, limit, total, |opportunity| opportunity.id.0)))
}

pub async fn read(
    _: Can<CrmRead>,
    Id(id): Id<OpportunityId>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    let opportunity = opportunity::find(&mut *crm.read().await?, id).await?;
    opportunity.map(Json).ok_or_else(|| Problem::not_found(format!("opportunity/{id}")))
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<OpportunityId>,
    Valid(change): Valid<OpportunityChange>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    Ok(Json(crm.run(who.origin(), PatchOpportunity { id, change }).await?))
}

pub async fn move_(
    who: Can<CrmWrite>,
    Id(id): Id<OpportunityId>,
    Valid(StageChange { stage }): Valid<StageChange>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    Ok(Json(crm.run(who.origin(), MoveOpportunity { id, stage }).await?))
}
