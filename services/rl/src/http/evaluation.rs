use actix_web::web::{Data, Json};
use bhiv_auth::require::RlRead;
use bhiv_bandit::Uplift;
use bhiv_service::Context;
use bhiv_web::{Can, Problem, Result, Segment, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::drift::{Drift, compare};
use crate::domain::evaluation::{Judge, Target, evaluate};
use crate::error::UNKNOWN_KIND;
use crate::store::{decision, policy};

/// Decisions that are looked at, at most: the newest.
const MOST: i64 = 20_000;

/// Which decisions are looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadEvaluation {
    /// Of this kind.
    #[schema(min_length = 1, max_length = 100)]
    kind: String,
    /// Those rewarded since then.
    since: Option<DateTime<Utc>>,
}

/// What policies would have earned.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyEvaluations {
    /// The kind of decision.
    kind: String,
    /// How many decisions were looked at: the newest 20,000 with outcomes, at most.
    decisions: usize,
    /// What they earned, each from 0 to 1; null without any.
    mean_reward: Option<f64>,
    /// What others would have earned: the policy itself, the baseline, and each action of the kind.
    policies: Vec<Target>,
    /// What the policy earns more than the baseline.
    uplift: UpliftBounds,
}

/// What the policy earns more than the baseline per decision, within bounds that hold at any time: whoever looks at
/// them again and again is deceived by each of them with the probability `alpha` at all (Waudby-Smith and Ramdas 2024).
#[derive(Debug, Serialize, ToSchema)]
pub struct UpliftBounds {
    /// At least; from -1 to 1.
    lower: f64,
    /// At most.
    upper: f64,
    /// How often each bound may be wrong.
    alpha: f64,
    /// How many decisions tell of it: those since the version `since_version`.
    decisions: u64,
    /// The version with which the present mode and settings began.
    since_version: i64,
}

pub async fn read(
    _: Can<RlRead>,
    ValidQuery(query): ValidQuery<ReadEvaluation>,
    rl: Data<Context>,
) -> Result<Json<PolicyEvaluations>> {
    let ReadEvaluation { kind, since } = query;
    let mut conn = rl.read().await?;
    let Some(row) = policy::find(&mut conn, &kind).await? else {
        let known = policy::kinds(&mut conn).await?;
        let detail = format!("there is no kind of decision '{kind}'; there are {}", known.join(", "));
        return Err(Problem::new(UNKNOWN_KIND, detail).at("?kind", "does not exist").with("kinds", known));
    };
    let outcomes = decision::evaluated(&mut conn, &kind, since, MOST).await?;
    let judges = [Judge::Learner, Judge::Baseline].into_iter();
    let judges = judges.chain(row.default_actions.0.iter().cloned().map(Judge::Always));
    let count = outcomes.len();
    let sum: f64 = outcomes.iter().map(|outcome| outcome.reward).sum();
    let uplift = Uplift::restore(row.settings.0.alpha, &row.uplift);
    let (lower, upper) = uplift.bounds();
    Ok(Json(PolicyEvaluations {
        decisions: count,
        mean_reward: (count > 0).then(|| sum / f64::from(u32::try_from(count).unwrap_or(u32::MAX))),
        policies: judges.filter_map(|judge| evaluate(&judge, &outcomes)).collect(),
        uplift: UpliftBounds {
            lower,
            upper,
            alpha: row.settings.0.alpha,
            decisions: whole(uplift.count()),
            since_version: row.phase,
        },
        kind,
    }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts decisions")]
fn whole(count: f64) -> u64 {
    count as u64
}

/// How many decisions are compared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadDrift {
    /// So many of the newest with outcomes, with up to four times as many before them; 200, unless it says otherwise.
    #[serde(default = "recent")]
    #[schema(minimum = 30, maximum = 4000, default = 200)]
    recent: i64,
}

fn recent() -> i64 {
    200
}

/// Whether what a policy meets has changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyDrift {
    /// The kind of decision.
    kind: String,
    /// How many decisions came lately.
    lately: usize,
    /// How many before are compared with them; without enough of both nothing is compared.
    before: usize,
    /// Whether anything has changed.
    drifted: bool,
    /// What was compared: rewards and surprises first, then facts, the least probable change first.
    compared: Vec<Drift>,
}

pub async fn drift(
    _: Can<RlRead>,
    Segment(kind): Segment<String>,
    ValidQuery(query): ValidQuery<ReadDrift>,
    rl: Data<Context>,
) -> Result<Json<PolicyDrift>> {
    let mut conn = rl.read().await?;
    if policy::find(&mut conn, &kind).await?.is_none() {
        return Err(Problem::not_found(format!("policy/{kind}")));
    }
    let newest = decision::compared(&mut conn, &kind, query.recent * 5).await?;
    let split = usize::try_from(query.recent).unwrap_or(0).min(newest.len());
    let (lately, before) = newest.split_at(split);
    let compared = if before.len() < split { Vec::new() } else { compare(before, lately) };
    let drifted = compared.iter().any(Drift::is_drift);
    Ok(Json(PolicyDrift { kind, lately: lately.len(), before: before.len(), drifted, compared }))
}
