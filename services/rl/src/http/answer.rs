use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::decision::{Judged, Mattered};
use crate::domain::facts::Facts;
use crate::domain::ids::DecisionId;
use crate::domain::reward::Reward;
use crate::domain::rule::Mask;
use crate::store::decision::Decision;

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Decision)]
pub struct DecisionAnswer {
    /// Its id, to report its outcome to.
    pub decision_id: DecisionId,
    /// Grows by one with each change.
    version: i64,
    /// The causal story that it belongs to.
    correlation_id: Uuid,
    /// What kind of decision.
    kind: String,
    /// What it is about, for example `order/0190...`.
    reference: Option<String>,
    /// The person whose data it was decided on.
    subject: Option<String>,
    /// The question.
    query: String,
    /// What was known of the situation.
    context: Facts,
    /// The action chosen.
    decision: String,
    /// Probability with which it was chosen, above 0 up to 1.
    propensity: f64,
    /// Its predicted reward, 0 to 1.
    score: f64,
    /// How much was known of the action in such a situation, from 0, nothing, to 1: 1 / (1 + v), v being
    /// the variance of the prediction in units of the noise of one outcome.
    confidence: f64,
    /// Why it was chosen, in words, with what counted most.
    reasoning: String,
    /// The other candidates: what could have been chosen instead.
    alternatives: Vec<Alternative>,
    /// The candidates that were forbidden, and why.
    masked: Vec<Mask>,
    /// What counted most in its predicted reward, the weightiest first.
    features: Vec<Mattered>,
    /// Who decided: `live`, the policy, or `apprentice`, the baseline while the policy learns.
    mode: String,
    /// Version of the policy that chose.
    policy_version: i64,
    /// What is known of how it turned out, by part.
    parts: BTreeMap<String, Reward>,
    /// How it turned out, 0 to 1; null until that is known.
    reward: Option<f64>,
    /// What was said about how it turned out.
    comment: Option<String>,
    /// When its outcome was recorded.
    rewarded_at: Option<DateTime<Utc>>,
    /// Until when its outcome is waited for.
    closes_at: Option<DateTime<Utc>>,
    /// When it was closed: rewarded, given up, or forgotten.
    closed_at: Option<DateTime<Utc>>,
    /// Who asked for it: `user/<id>` or `service/<name>`.
    actor: String,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// A candidate that was not chosen.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Alternative {
    /// What would have been done.
    action: String,
    /// Its predicted reward, 0 to 1.
    score: f64,
    /// Probability with which it was to be chosen, above 0 up to 1.
    propensity: f64,
}

impl From<Judged> for Alternative {
    fn from(Judged { action, score, propensity, .. }: Judged) -> Self {
        Self { action, score, propensity }
    }
}

impl From<Decision> for DecisionAnswer {
    fn from(decision: Decision) -> Self {
        let candidates = decision.candidates.0.into_iter();
        let others = candidates.filter(|candidate| candidate.action != decision.action);
        Self {
            alternatives: others.map(Alternative::from).collect(),
            decision_id: decision.id,
            version: decision.version,
            correlation_id: decision.correlation_id,
            kind: decision.kind,
            reference: decision.reference,
            subject: decision.subject,
            query: decision.query,
            context: decision.context.0,
            decision: decision.action,
            propensity: decision.propensity,
            score: decision.score,
            confidence: decision.confidence,
            reasoning: decision.reasoning,
            masked: decision.masked.0,
            features: decision.mattered.0,
            mode: decision.mode,
            policy_version: decision.policy_version,
            parts: decision.parts.0,
            reward: decision.reward,
            comment: decision.comment,
            rewarded_at: decision.rewarded_at,
            closes_at: decision.closes_at,
            closed_at: decision.closed_at,
            actor: decision.actor,
            created_at: decision.created_at,
        }
    }
}
