use actix_web::web::{Data, Json};
use bhiv_auth::require::{RlRead, RlWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::DecisionAnswer;
use crate::commands::make_decision::MakeDecision;
use crate::commands::record_outcome::RecordOutcome;
use crate::domain::decision::{NewDecision, NewOutcome};
use crate::domain::ids::DecisionId;
use crate::domain::served::Served;
use crate::store::decision::{self, Filter};

/// Which decisions, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDecisions {
    /// Those of this kind.
    kind: Option<String>,
    /// Those about this, for example `order/0190...`, or about one of several things.
    #[schema(min_items = 1, max_items = 400)]
    reference: Option<Vec<String>>,
    /// Those that chose this action.
    action: Option<String>,
    /// Those with an outcome, or those without.
    rewarded: Option<bool>,
    /// Those whose outcome is waited for, or those of which it is not.
    open: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<RlWrite>,
    Valid(new): Valid<NewDecision>,
    rl: Data<Context>,
    served: Data<Served>,
    _: MayAnswer<409>,
) -> Result<Created<DecisionAnswer>> {
    let decision = rl.run(who.origin(), MakeDecision { new, served: served.get_ref().clone() }).await?;
    Ok(Created::at(format!("/rl/decisions/{}", decision.id), decision.into()))
}

pub async fn list(
    _: Can<RlRead>,
    ValidQuery(query): ValidQuery<ListDecisions>,
    rl: Data<Context>,
) -> Result<Json<Page<DecisionAnswer>>> {
    let ListDecisions { kind, reference, action, rewarded, open, limit, cursor } = query;
    let filter = Filter { kind, reference, action, rewarded, open };
    let mut conn = rl.read().await?;
    let found = decision::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = decision::count(&mut conn, &filter).await?;
    let found = found.into_iter().map(DecisionAnswer::from).collect();
    Ok(Json(Page::new(found, limit, total, |decision| decision.decision_id.0)))
}

pub async fn read(_: Can<RlRead>, Id(id): Id<DecisionId>, rl: Data<Context>) -> Result<Json<DecisionAnswer>> {
    let decision = decision::find(&mut *rl.read().await?, id).await?;
    let decision = decision.ok_or_else(|| Problem::not_found(format!("decision/{id}")))?;
    Ok(Json(decision.into()))
}

pub async fn record_outcome(
    who: Can<RlWrite>,
    Id(id): Id<DecisionId>,
    Valid(outcome): Valid<NewOutcome>,
    rl: Data<Context>,
) -> Result<Json<DecisionAnswer>> {
    let decision = rl.run(who.origin(), RecordOutcome { id, outcome }).await?;
    Ok(Json(decision.into()))
}
