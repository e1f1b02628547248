use actix_web::web::{Data, Json};
use bhiv_auth::require::RlRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::analytics::report;
use crate::store::policy::PolicySummary;
use crate::store::{policy, tally};

/// What decides.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionPolicies {
    /// One for each kind of decision, by kind.
    items: Vec<DecisionPolicy>,
}

/// What decides one kind of decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionPolicy {
    /// The kind of decision.
    kind: String,
    /// What it decides, in words.
    says: String,
    /// What it chooses among when nobody names candidates.
    actions: Vec<String>,
    /// Grows by one with each outcome learned.
    version: i64,
    /// How many outcomes it learned from.
    observations: i64,
    /// The mean reward of its decisions so far; null without any outcome.
    mean_reward: Option<f64>,
}

pub async fn list(_: Can<RlRead>, rl: Data<Context>) -> Result<Json<DecisionPolicies>> {
    let mut conn = rl.read().await?;
    let tallies = tally::by_kind_and_action(&mut conn).await?;
    let policies = policy::list(&mut conn).await?;
    let shown = |PolicySummary { kind, says, default_actions, version, observations }| {
        let mean_reward = report(&kind, &tallies).mean_reward;
        DecisionPolicy { kind, says, actions: default_actions.0, version, observations, mean_reward }
    };
    Ok(Json(DecisionPolicies { items: policies.into_iter().map(shown).collect() }))
}
