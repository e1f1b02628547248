use actix_web::web::{Data, Json};
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_lead::CreateLead;
use crate::commands::patch_lead::PatchLead;
use crate::domain::ids::LeadId;
use crate::domain::lead::{LeadChange, LeadStatus, NewLead};
use crate::store::lead::{self, Filter, Lead};

/// Which leads, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLeads {
    /// Those that stand there.
    status: Option<LeadStatus>,
    /// Those that came from there.
    source: Option<String>,
    /// Those that this user works on.
    owner: Option<String>,
    /// Those with this text in name, company or e-mail address.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewLead>,
    crm: Data<Context>,
) -> Result<Created<Lead>> {
    let lead = crm.run(who.origin(), CreateLead(new)).await?;
    Ok(Created::at(format!("/crm/leads/{}", lead.id), lead))
}

pub async fn list(
    _: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListLeads>,
    crm: Data<Context>,
) -> Result<Json<Page<Lead>>> {
    let ListLeads { status, source, owner, q, limit, cursor } = query;
    let filter = Filter { status, source, owner, text: q };
    let mut conn = crm.read().await?;
    let leads = lead::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = lead::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(leads, limit, total, |lead| lead.id.0)))
}

pub async fn read(_: Can<CrmRead>, Id(id): Id<LeadId>, crm: Data<Context>) -> Result<Json<Lead>> {
    let lead = lead::find(&mut *crm.read().await?, id).await?;
    lead.map(Json).ok_or_else(|| Problem::not_found(format!("lead/{id}")))
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<LeadId>,
    Valid(change): Valid<LeadChange>,
    crm: Data<Context>,
) -> Result<Json<Lead>> {
    Ok(Json(crm.run(who.origin(), PatchLead { id, change }).await?))
}
