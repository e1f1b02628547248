use actix_web::web::{Data, Json};
use bhiv_auth::Reach;
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_types::{Amount, Currency};
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Bulk, Can, Created, Cursor, Id, Ids, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::By;
use crate::commands::create_opportunity::CreateOpportunity;
use crate::commands::move_opportunity::MoveOpportunity;
use crate::commands::patch_opportunity::PatchOpportunity;
use crate::domain::ids::{AccountId, LeadId, OpportunityId};
use crate::domain::opportunity::{NewOpportunity, OpportunityChange, Stage, StageChange};
use crate::store::Owned as _;
use crate::store::opportunity::{self, Filter, Opportunity, Order};

/// What opportunities can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum OpportunitySort {
    CreatedAt,
    UpdatedAt,
    Value,
}

/// A field, or its reverse.
type OpportunityOrder = Sort<OpportunitySort>;

/// Which opportunities, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOpportunities {
    /// Those of this lead.
    lead_id: Option<LeadId>,
    /// Those of this account.
    account_id: Option<AccountId>,
    /// Those at this stage.
    stage: Option<Stage>,
    /// Those that this user works on.
    owner: Option<String>,
    /// Those that this team works on.
    team: Option<String>,
    /// Those that should be decided then or later.
    closing_from: Option<NaiveDate>,
    /// Those that should be decided before then.
    closing_until: Option<NaiveDate>,
    /// Those in this currency.
    currency: Option<Currency>,
    /// Those worth that or more.
    value_from: Option<Amount>,
    /// Those worth less than that.
    value_until: Option<Amount>,
    /// Those with words in their name that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<OpportunityOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<CrmWrite>,
    Valid(new): Valid<NewOpportunity>,
    crm: Data<Context>,
) -> Result<Created<Opportunity>> {
    let create = CreateOpportunity { new, by: By::from(&*who.caller) };
    let opportunity = crm.run(who.origin(), create).await?;
    Ok(Created::at(format!("/crm/opportunities/{}", opportunity.id), opportunity))
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListOpportunities>,
    crm: Data<Context>,
) -> Result<Json<Page<Opportunity>>> {
    let ListOpportunities {
        lead_id,
        account_id,
        stage,
        owner,
        team,
        closing_from,
        closing_until,
        currency,
        value_from,
        value_until,
        q,
        sort,
        limit,
        cursor,
    } = query;
    let filter = Filter {
        reach: who.reach(),
        lead_id,
        account_id,
        stage,
        owner,
        team,
        closing_from,
        closing_until,
        currency,
        value_from: value_from.map(Amount::get),
        value_until: value_until.map(Amount::get),
        text: q,
        ids: None,
    };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: OpportunitySort::CreatedAt, descending: true });
    let order = match by {
        OpportunitySort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        OpportunitySort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        OpportunitySort::Value => Order::Value(Cursor::place(cursor)?),
    };
    let place = |opportunity: &Opportunity| match by {
        OpportunitySort::CreatedAt => Cursor::at(&opportunity.created_at, opportunity.id),
        OpportunitySort::UpdatedAt => Cursor::at(&opportunity.updated_at, opportunity.id),
        OpportunitySort::Value => Cursor::at(&opportunity.value, opportunity.id),
    };
    let mut conn = crm.read().await?;
    let total = opportunity::count(&mut conn, &filter).await?;
    let filter = filter.narrowed(&mut conn, total).await?;
    let found = opportunity::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, place)))
}

/// The opportunity, if the caller may see it.
async fn seen(conn: &mut Conn, id: OpportunityId, reach: &Reach) -> Result<Opportunity> {
    let opportunity = opportunity::find(conn, id).await?.and_then(|opportunity| opportunity.within(reach));
    opportunity.ok_or_else(|| Problem::not_found(format!("opportunity/{id}")))
}

pub async fn read(
    who: Can<CrmRead>,
    Id(id): Id<OpportunityId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    let mut conn = crm.read().await?;
    let opportunity = seen(&mut conn, id, &who.reach()).await?;
    match as_of {
        Some(at) => history::as_of(&mut conn, &format!("opportunity/{id}"), at).await.map(Json),
        None => Ok(Json(opportunity)),
    }
}

pub async fn history(
    who: Can<CrmRead>,
    Id(id): Id<OpportunityId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    crm: Data<Context>,
) -> Result<Json<Page<Change>>> {
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who.reach()).await?;
    history::changes(&mut conn, &format!("opportunity/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<CrmWrite>,
    Id(id): Id<OpportunityId>,
    Valid(change): Valid<OpportunityChange>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), PatchOpportunity { id, change, by }).await?))
}

/// The same change to many opportunities.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOpportunities {
    /// Which.
    ids: Ids,
    /// What changes.
    change: OpportunityChange,
}

pub async fn bulk(
    who: Can<CrmWrite>,
    Valid(ChangeOpportunities { ids, change }): Valid<ChangeOpportunities>,
    crm: Data<Context>,
) -> Result<Json<Bulk>> {
    let by = By::from(&*who.caller);
    let command =
        |id| (id, PatchOpportunity { id: OpportunityId(id), change: change.clone(), by: by.clone() });
    Ok(Json(crm.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}

pub async fn move_(
    who: Can<CrmWrite>,
    Id(id): Id<OpportunityId>,
    Valid(StageChange { stage, reason }): Valid<StageChange>,
    crm: Data<Context>,
) -> Result<Json<Opportunity>> {
    let by = By::from(&*who.caller);
    Ok(Json(crm.run(who.origin(), MoveOpportunity { id, stage, reason, by }).await?))
}
