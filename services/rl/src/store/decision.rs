use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Json;
use crate::domain::decision::{Judged, Mattered};
use crate::domain::facts::Facts;
use crate::domain::ids::DecisionId;
use crate::domain::model::Example;
use crate::domain::parts::Parts;
use crate::domain::rule::Mask;
use crate::schema::decisions;

mod examples;
mod outcomes;

pub use examples::{
    Unlearned, forget, kinds_of_persons, learned, mark_learned, of_persons, phase_outcomes, strip,
    to_be_learned, unlearned_kinds,
};
pub use outcomes::{compared, evaluated};

/// A decision. What its policy saw of the chosen action stands beside it: see [`to_be_learned`].
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
)]
#[diesel(table_name = decisions, treat_none_as_null = true)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// What kind of decision.
    pub kind: String,
    /// What it is about, for example `order/0190...`.
    pub reference: Option<String>,
    /// The person whose data it was decided on.
    pub subject: Option<String>,
    /// The question.
    pub query: String,
    /// What was known of the situation.
    pub context: Json<Facts>,
    /// Every candidate as it was judged, the chosen one too.
    pub candidates: Json<Vec<Judged>>,
    /// What was forbidden, and why.
    pub masked: Json<Vec<Mask>>,
    /// The action chosen.
    pub action: String,
    /// Probability with which it was chosen, above 0 up to 1.
    pub propensity: f64,
    /// Its predicted reward, 0 to 1.
    pub score: f64,
    /// How much was known of it, 0 to 1.
    pub confidence: f64,
    /// Why it was chosen, in words.
    pub reasoning: String,
    /// What counted most.
    pub mattered: Json<Vec<Mattered>>,
    /// Who decided: the baseline, `apprentice`, or the policy, `live`.
    pub mode: String,
    /// Version of the policy that chose.
    pub policy_version: i64,
    /// What is known of how it turned out, by part.
    pub parts: Json<Parts>,
    /// How it turned out, 0 to 1; null until that is known.
    pub reward: Option<f64>,
    /// What was said about how it turned out.
    pub comment: Option<String>,
    /// When its outcome was recorded.
    pub rewarded_at: Option<DateTime<Utc>>,
    /// Until when an outcome is waited for.
    pub closes_at: Option<DateTime<Utc>>,
    /// When it was closed: rewarded, given up, or forgotten.
    pub closed_at: Option<DateTime<Utc>>,
    /// When it was forgotten as an example.
    pub forgotten_at: Option<DateTime<Utc>>,
    /// Who asked for it.
    pub actor: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Which decisions a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those about one of these.
    pub reference: Option<Vec<String>>,
    /// Those that chose this action.
    pub action: Option<String>,
    /// Those with an outcome, or those without.
    pub rewarded: Option<bool>,
    /// Those that an outcome is waited for, or those that none is.
    pub open: Option<bool>,
}

impl Filter {
    fn query(&self) -> decisions::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = decisions::table.into_boxed();
        if let Some(kind) = &self.kind {
            query = query.filter(decisions::kind.eq(kind.clone()));
        }
        if let Some(reference) = &self.reference {
            query = query.filter(decisions::reference.eq_any(reference.clone()));
        }
        if let Some(action) = &self.action {
            query = query.filter(decisions::action.eq(action.clone()));
        }
        query = match self.open {
            Some(true) => query.filter(decisions::closed_at.is_null()),
            Some(false) => query.filter(decisions::closed_at.is_not_null()),
            None => query,
        };
        match self.rewarded {
            Some(true) => query.filter(decisions::reward.is_not_null()),
            Some(false) => query.filter(decisions::reward.is_null()),
            None => query,
        }
    }
}

/// Writes a new decision with what its policy saw of the chosen action.
pub async fn insert(conn: &mut Conn, decision: &Decision, example: &Example) -> QueryResult<()> {
    let (indexes, values): (Vec<i32>, Vec<f64>) =
        example.row.iter().filter_map(|(place, value)| Some((i32::try_from(*place).ok()?, *value))).unzip();
    let seen = (
        decisions::block.eq(&example.block),
        decisions::feature_indexes.eq(indexes),
        decisions::feature_values.eq(values),
        decisions::feature_prior.eq(example.prior),
    );
    diesel::insert_into(decisions::table).values((decision, seen)).execute(conn).await.map(drop)
}

/// The decision, if there is one.
pub async fn find(conn: &mut Conn, id: DecisionId) -> QueryResult<Option<Decision>> {
    decisions::table.find(id).select(Decision::as_select()).first(conn).await.optional()
}

/// The decision, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: DecisionId) -> QueryResult<Option<Decision>> {
    decisions::table.find(id).select(Decision::as_select()).for_update().first(conn).await.optional()
}

/// The newest decision about `reference` that an outcome is waited for; of that kind, if one is named.
pub async fn newest_open(
    conn: &mut Conn,
    reference: &str,
    kind: Option<&str>,
) -> QueryResult<Option<DecisionId>> {
    let filter = Filter {
        kind: kind.map(str::to_owned),
        reference: Some(vec![reference.to_owned()]),
        open: Some(true),
        ..Filter::default()
    };
    filter.query().order(decisions::id.desc()).select(decisions::id).first(conn).await.optional()
}

/// Up to `limit` decisions whose outcome is waited for no longer, locked; those that somebody else has are left out.
pub async fn overdue(conn: &mut Conn, now: DateTime<Utc>, limit: i64) -> QueryResult<Vec<Decision>> {
    decisions::table
        .filter(decisions::closed_at.is_null().and(decisions::closes_at.le(now)))
        .order(decisions::closes_at)
        .limit(limit)
        .for_update()
        .skip_locked()
        .select(Decision::as_select())
        .load(conn)
        .await
}

/// Writes a decision that was changed.
pub async fn update(conn: &mut Conn, decision: &Decision) -> QueryResult<()> {
    diesel::update(decision).set(decision).execute(conn).await.map(drop)
}

/// Up to `limit` decisions, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Decision>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(decisions::id.lt(DecisionId(after)));
    }
    query.order(decisions::id.desc()).limit(limit).select(Decision::as_select()).load(conn).await
}

/// How many decisions a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
