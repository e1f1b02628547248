use std::collections::BTreeMap;

use bhiv_bandit::{Exploration, Learner};
use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Json, decision};
use crate::domain::policy::Policy;
use crate::domain::prior::Prior;
use crate::schema::policies;

/// A policy with all that it learned.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, AsChangeset, Identifiable)]
#[diesel(table_name = policies, primary_key(kind), treat_none_as_null = true)]
pub struct PolicyRow {
    /// The kind of decision that it makes.
    pub kind: String,
    /// What it decides, in words.
    pub says: String,
    /// What it chooses among when nobody names candidates.
    pub default_actions: Json<Vec<String>>,
    /// The prior mean of its weights, by the names of terms.
    pub prior: Json<BTreeMap<String, f64>>,
    /// How many coordinates its vectors have.
    pub dimension: i32,
    /// SquareCB's gamma.
    pub gamma: f64,
    /// Ridge regression's lambda.
    pub lambda: f64,
    /// Grows by one with each outcome learned.
    pub version: i64,
    /// How many outcomes it learned from.
    pub observations: i64,
    /// What the learner knows; null until its first outcome. It follows from the decisions that have outcomes.
    pub statistics: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last learned.
    pub updated_at: DateTime<Utc>,
}

impl PolicyRow {
    /// What decides, with what it learned.
    pub fn policy(&self, learner: Learner) -> Policy {
        Policy {
            prior: Prior::from(&self.prior.0),
            learner,
            explorer: Exploration::SquareCb { gamma: self.gamma, exponent: 0.0 },
        }
    }

    fn size(&self) -> usize {
        usize::try_from(self.dimension).unwrap_or(1)
    }
}

/// What a policy learned. Statistics of another number of outcomes than it counted are those of a version before this
/// one, or none: they are computed anew from its decisions.
pub async fn learner(conn: &mut Conn, policy: &PolicyRow) -> QueryResult<Learner> {
    let (size, lambda) = (policy.size(), policy.lambda);
    let kept = policy.statistics.as_deref().and_then(|kept| Learner::restore(size, lambda, kept).ok());
    if let Some(learner) = kept.filter(|learner| learner.examples() == policy.observations) {
        return Ok(learner);
    }
    let mut anew = policy.policy(Learner::new(size, lambda));
    if policy.observations > 0 {
        for (example, reward) in decision::outcomes(conn, &policy.kind).await? {
            anew.learn(&example, reward);
        }
        anew.learner.settle();
    }
    Ok(anew.learner)
}

/// A policy without what it learned.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = policies)]
pub struct PolicySummary {
    /// The kind of decision that it makes.
    pub kind: String,
    /// What it decides, in words.
    pub says: String,
    /// What it chooses among when nobody names candidates.
    pub default_actions: Json<Vec<String>>,
    /// Grows by one with each outcome learned.
    pub version: i64,
    /// How many outcomes it learned from.
    pub observations: i64,
}

/// The policy for a kind of decision, if there is one.
pub async fn find(conn: &mut Conn, kind: &str) -> QueryResult<Option<PolicyRow>> {
    policies::table.find(kind).select(PolicyRow::as_select()).first(conn).await.optional()
}

/// The policy, locked until the end of the transaction: one learner at a time. Decisions refer to it
/// meanwhile, so its key is not locked.
pub async fn lock(conn: &mut Conn, kind: &str) -> QueryResult<Option<PolicyRow>> {
    let row = policies::table.find(kind).select(PolicyRow::as_select());
    row.for_no_key_update().first(conn).await.optional()
}

/// Writes a policy that learned.
pub async fn update(conn: &mut Conn, policy: &PolicyRow) -> QueryResult<()> {
    diesel::update(policy).set(policy).execute(conn).await.map(drop)
}

/// Every policy, by kind.
pub async fn list(conn: &mut Conn) -> QueryResult<Vec<PolicySummary>> {
    policies::table.order(policies::kind).select(PolicySummary::as_select()).load(conn).await
}

/// Every kind of decision.
pub async fn kinds(conn: &mut Conn) -> QueryResult<Vec<String>> {
    policies::table.order(policies::kind).select(policies::kind).load(conn).await
}
