use actix_web::web::{Data, Json};
use bhiv_auth::Reach;
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::By;
use crate::commands::convert_lead::{ConvertLead, Converted};
use crate::commands::create_lead::{CreateLead, CreatedLead};
use crate::commands::patch_lead::PatchLead;
use crate::domain::conversion::{Conversion, OnDuplicates};
use crate::domain::ids::LeadId;
use crate::domain::lead::{LeadChange, LeadStatus, NewLead};
use crate::store::Owned as _;
use crate::store::lead::{self, Filter, Lead, Order};

/// What leads can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum LeadSort {
    CreatedAt,
    UpdatedAt,
    Name,
}

/// A field, or its reverse.
type LeadOrder = Sort<LeadSort>;

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
    /// Those that this team works on.
    team: Option<String>,
    /// Those that came in then or later.
    from: Option<DateTime<Utc>>,
    /// Those that came in before then.
    until: Option<DateTime<Utc>>,
    /// Those that are archived, instead of those that are not.
    #[serde(default)]
    archived: bool,
    /// Those with words in name, company or e-mail address that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<LeadOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// How a lead is created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnCreation {
    /// What happens when it looks like one that is there: `allow`, unless it says otherwise, and the answer names them.
    #[serde(default = "allow")]
    duplicates: OnDuplicates,
}

fn allow() -> OnDuplicates {
    OnDuplicates::Allow
}

pub async fn create(
    who: Can<CrmWrite>,
    ValidQuery(OnCreation { duplicates }): ValidQuery<OnCreation>,
    Valid(new): Valid<NewLead>,
    crm: Data<Context>,
) -> Result<Created<CreatedLead>> {
    let create = CreateLead { new, by: By::from(&*who.caller), duplicates };
    let created = crm.run(who.origin(), create).await?;
    Ok(Created::at(format!("/crm/leads/{}", created.lead.id), created))
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListLeads>,
    crm: Data<Context>,
) -> Result<Json<Page<Lead>>> {
    let ListLeads { status, source, owner, team, from, until, archived, q, sort, limit, cursor } = query;
    let filter =
        Filter { reach: who.reach(), status, source, owner, team, from, until, archived, text: q, ids: None };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: LeadSort::CreatedAt, descending: true });
    let order = match by {
        LeadSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        LeadSort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        LeadSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |lead: &Lead| match by {
        LeadSort::CreatedAt => Cursor::at(&lead.created_at, lead.id),
        LeadSort::UpdatedAt => Cursor::at(&lead.updated_at, lead.id),
        LeadSort::Name => Cursor::at(&lead.name, lead.id),
    };
    let mut conn = crm.read().await?;
    let total = lead::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let leads = lead::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(leads, limit, total, place)))
}

/// The lead, if the caller may see it.
pub async fn seen(conn: &mut Conn, id: LeadId, reach: &Reach) -> Result<Lead> {
    let lead = lead::find(conn, id).await?.and_then(|lead| lead.within(reach));
    lead.ok_or_else(|| Problem::not_found(format!("lead/{id}")))
}

pub async fn read(
    who: Can<CrmRead>,
    Id(id): Id<LeadId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    crm: Data<Context>,
) -> Result<Json<Lead>> {
    let mut conn = crm.read().await?;
    let lead = seen(&mut conn, id, &who.reach()).await?;
    match as_of {
        Some(at) => history::as_of(&mut conn, &format!("lead/{id}"), at).await.map(Json),
        None => Ok(Json(lead)),
    }
}

pub async fn history(
    who: Can<CrmRead>,
    Id(id): Id<LeadId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    crm: Data<Context>,
) -> Result<Json<Page<Change>>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who.reach()).await?;
    history::changes(&mut conn, &format!("lead/{id}"), query).await.map(Json)
}

pub async fn convert(
    who: Can<CrmWrite>,
    Id(id): Id<LeadId>,
    Valid(conversion): Valid<Conversion>,
    crm: Data<Context>,
) -> Result<Json<Converted>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), ConvertLead { id, conversion, by }).await?))
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<LeadId>,
    Valid(change): Valid<LeadChange>,
    crm: Data<Context>,
) -> Result<Json<Lead>> {
    Ok(Json(crm.run(who.origin(), PatchLead { id, change, by: By::from(&*who.caller) }).await?))
}

/// The same change to many leads.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeLeads {
    /// Which.
    ids: Ids,
    /// What changes.
    change: LeadChange,
}

pub async fn bulk(
    who: Can<CrmWrite>,
    Valid(ChangeLeads { ids, change }): Valid<ChangeLeads>,
    crm: Data<Context>,
) -> Result<Json<Bulk>> {
    let by = By::from(&*who.caller);
    let command = |id| (id, PatchLead { id: LeadId(id), change: change.clone(), by: by.clone() });
    Ok(Json(crm.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}
