use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Json;
use crate::domain::exploration::SquareCb;
use crate::domain::policy::Policy;
use crate::domain::prior::Prior;
use crate::domain::ridge::Ridge;
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
    /// The learner's inverse, row by row; null until its first outcome.
    pub a_inv: Option<Vec<f64>>,
    /// The learner's moments; null until its first outcome.
    pub b: Option<Vec<f64>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last learned.
    pub updated_at: DateTime<Utc>,
}

impl PolicyRow {
    /// What decides. The table's constraints see to it that what was learned fits the dimension.
    pub fn policy(&self) -> Policy {
        let dimension = usize::try_from(self.dimension).ok().and_then(NonZeroUsize::new);
        let dimension = dimension.unwrap_or(NonZeroUsize::MIN);
        let learned = self.a_inv.clone().zip(self.b.clone());
        let learner = learned.and_then(|(a_inv, b)| Ridge::restore(dimension, a_inv, b));
        Policy {
            prior: Prior::from(&self.prior.0),
            learner: learner.unwrap_or_else(|| Ridge::new(dimension, self.lambda)),
            explorer: SquareCb { gamma: self.gamma },
        }
    }
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
