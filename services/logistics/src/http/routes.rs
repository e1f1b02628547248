use actix_web::web::{Data, Json};
use bhiv_auth::require::{LogisticsRead, LogisticsWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Accepted, Can, Cursor, Id, Limit, Page, Problem, Result, Sort, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::apply_plan::{Applied, ApplyPlan};
use crate::commands::cancel_plan::CancelPlan;
use crate::commands::plan_routes::PlanRoutes;
use crate::domain::ids::RoutePlanId;
use crate::domain::plan::{NewPlan, PlanStatus};
use crate::store::route_plan::{self, RoutePlan};

/// What plans can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum RoutePlanSort {
    CreatedAt,
}

/// A field, or its reverse.
type RoutePlanOrder = Sort<RoutePlanSort>;

/// Which plans, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRoutePlans {
    /// Those that stand there.
    status: Option<PlanStatus>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<RoutePlanOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn plan(
    who: Can<LogisticsWrite>,
    Valid(new): Valid<NewPlan>,
    logistics: Data<Context>,
) -> Result<Accepted<RoutePlan>> {
    let plan = logistics.run(who.origin(), PlanRoutes(new)).await?;
    Ok(Accepted::at(format!("/logistics/routes/{}", plan.id), plan))
}

pub async fn list(
    _: Can<LogisticsRead>,
    ValidQuery(query): ValidQuery<ListRoutePlans>,
    logistics: Data<Context>,
) -> Result<Json<Page<RoutePlan>>> {
    let ListRoutePlans { status, sort, limit, cursor } = query;
    let descending = sort.is_none_or(|sort| sort.descending);
    let after = Cursor::place(cursor)?;
    let mut conn = logistics.read().await?;
    let total = route_plan::count(&mut conn, status).await?;
    let found = route_plan::list(&mut conn, status, after, descending, limit.and_one()).await?;
    Ok(Json(Page::new(found, limit, total, |plan: &RoutePlan| Cursor::at(&plan.created_at, plan.id))))
}

pub async fn read(
    _: Can<LogisticsRead>,
    Id(id): Id<RoutePlanId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    logistics: Data<Context>,
) -> Result<Json<RoutePlan>> {
    let mut conn = logistics.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("route_plan/{id}"), at).await.map(Json);
    }
    let plan = route_plan::find(&mut conn, id).await?;
    plan.map(Json).ok_or_else(|| Problem::not_found(format!("route_plan/{id}")))
}

pub async fn history(
    _: Can<LogisticsRead>,
    Id(id): Id<RoutePlanId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    logistics: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *logistics.read().await?, &format!("route_plan/{id}"), query).await.map(Json)
}

pub async fn apply(
    who: Can<LogisticsWrite>,
    Id(id): Id<RoutePlanId>,
    logistics: Data<Context>,
) -> Result<Json<Applied>> {
    Ok(Json(logistics.run(who.origin(), ApplyPlan(id)).await?))
}

pub async fn cancel(
    who: Can<LogisticsWrite>,
    Id(id): Id<RoutePlanId>,
    logistics: Data<Context>,
) -> Result<Json<RoutePlan>> {
    Ok(Json(logistics.run(who.origin(), CancelPlan(id)).await?))
}
