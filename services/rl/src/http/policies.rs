use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use bhiv_auth::require::{RlAdmin, RlRead};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::{Can, Created, Problem, Result, Segment, Valid};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::change_mode::{Promote, RollBack};
use crate::commands::change_policy::ChangePolicy;
use crate::commands::create_policy::CreatePolicy;
use crate::domain::analytics::{Tally, report};
use crate::domain::policy_input::{NewPolicy, PolicyChange, Rollback};
use crate::domain::settings::{Form, Mode, Settings};
use crate::store::policy::PolicyRow;
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
    /// Grows by one with each change, what it learns included.
    version: i64,
    /// How many outcomes it learned from.
    observations: i64,
    /// The mean reward of its decisions so far; null without any outcome.
    mean_reward: Option<f64>,
    /// Who decides.
    mode: Mode,
    /// The version that decides instead of the newest one, after a rollback.
    serves: Option<i64>,
    /// Whether actions share what is learned.
    model: Form,
    /// What was believed before anything was learned, by features.
    prior: BTreeMap<String, f64>,
    /// How it is made and rewarded.
    settings: Settings,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

impl DecisionPolicy {
    fn of(row: PolicyRow, tallies: &[Tally]) -> Self {
        Self {
            mean_reward: report(&row.kind, tallies).mean_reward,
            mode: row.mode(),
            model: row.form(),
            kind: row.kind,
            says: row.says,
            actions: row.default_actions.0,
            version: row.version,
            observations: row.observations,
            serves: row.pinned,
            prior: row.prior.0,
            settings: row.settings.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    async fn find(conn: &mut Conn, kind: &str) -> Result<Self> {
        let row = policy::find(conn, kind).await?;
        let row = row.ok_or_else(|| Problem::not_found(format!("policy/{kind}")))?;
        Ok(Self::of(row, &tally::by_kind_and_action(conn).await?))
    }
}

pub async fn list(_: Can<RlRead>, rl: Data<Context>) -> Result<Json<DecisionPolicies>> {
    let mut conn = rl.read().await?;
    let tallies = tally::by_kind_and_action(&mut conn).await?;
    let policies = policy::list(&mut conn).await?;
    Ok(Json(DecisionPolicies {
        items: policies.into_iter().map(|row| DecisionPolicy::of(row, &tallies)).collect(),
    }))
}

pub async fn read(
    _: Can<RlRead>,
    Segment(kind): Segment<String>,
    rl: Data<Context>,
) -> Result<Json<DecisionPolicy>> {
    DecisionPolicy::find(&mut *rl.read().await?, &kind).await.map(Json)
}

pub async fn create(
    who: Can<RlAdmin>,
    Valid(new): Valid<NewPolicy>,
    rl: Data<Context>,
) -> Result<Created<DecisionPolicy>> {
    let kind = rl.run(who.origin(), CreatePolicy(new)).await?;
    let made = DecisionPolicy::find(&mut *rl.read().await?, &kind).await?;
    Ok(Created::at(format!("/rl/policies/{kind}"), made))
}

pub async fn patch(
    who: Can<RlAdmin>,
    Segment(kind): Segment<String>,
    Valid(change): Valid<PolicyChange>,
    rl: Data<Context>,
) -> Result<Json<DecisionPolicy>> {
    rl.run(who.origin(), ChangePolicy { kind: kind.clone(), change }).await?;
    DecisionPolicy::find(&mut *rl.read().await?, &kind).await.map(Json)
}

pub async fn promote(
    who: Can<RlAdmin>,
    Segment(kind): Segment<String>,
    rl: Data<Context>,
) -> Result<Json<DecisionPolicy>> {
    rl.run(who.origin(), Promote(kind.clone())).await?;
    DecisionPolicy::find(&mut *rl.read().await?, &kind).await.map(Json)
}

pub async fn roll_back(
    who: Can<RlAdmin>,
    Segment(kind): Segment<String>,
    Valid(Rollback { version }): Valid<Rollback>,
    rl: Data<Context>,
) -> Result<Json<DecisionPolicy>> {
    rl.run(who.origin(), RollBack { kind: kind.clone(), version }).await?;
    DecisionPolicy::find(&mut *rl.read().await?, &kind).await.map(Json)
}
