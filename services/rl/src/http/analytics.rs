use actix_web::web::{Data, Json};
use bhiv_auth::require::RlRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::analytics::{KindReport, report};
use crate::store::{policy, tally};

/// What was decided and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionAnalytics {
    /// One for each kind of decision, by kind.
    kinds: Vec<KindReport>,
}

pub async fn read(_: Can<RlRead>, rl: Data<Context>) -> Result<Json<DecisionAnalytics>> {
    let mut conn = rl.read().await?;
    let tallies = tally::by_kind_and_action(&mut conn).await?;
    let kinds = policy::kinds(&mut conn).await?;
    Ok(Json(DecisionAnalytics { kinds: kinds.iter().map(|kind| report(kind, &tallies)).collect() }))
}
