use bhiv_bandit::Vector;
use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Json;
use crate::domain::decision::Judged;
use crate::domain::facts::Facts;
use crate::domain::ids::DecisionId;
use crate::domain::policy::Example;
use crate::domain::reward::Reward;
use crate::schema::decisions;

/// A decision. What its policy saw of the chosen action stands beside it: see [`example`].
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
#[diesel(table_name = decisions, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Grows by one with each change: 2 with an outcome.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// What kind of decision.
    pub kind: String,
    /// What it is about, for example `order/0190...`.
    pub reference: Option<String>,
    /// The question.
    pub query: String,
    /// What was known of the situation.
    pub context: Json<Facts>,
    /// Every candidate as it was judged, the chosen one too.
    pub candidates: Json<Vec<Judged>>,
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
    /// Version of the policy that chose.
    pub policy_version: i64,
    /// How it turned out, 0 to 1; null until that is known.
    pub reward: Option<f64>,
    /// What was said about how it turned out.
    pub comment: Option<String>,
    /// When its outcome was recorded.
    pub rewarded_at: Option<DateTime<Utc>>,
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
        example.vector.iter().filter_map(|(place, value)| Some((i32::try_from(place).ok()?, value))).unzip();
    let seen = (
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

/// The newest decision about `reference` that has no outcome; of that kind, if one is named.
pub async fn newest_waiting(
    conn: &mut Conn,
    reference: &str,
    kind: Option<&str>,
) -> QueryResult<Option<Decision>> {
    let filter = Filter {
        kind: kind.map(str::to_owned),
        reference: Some(vec![reference.to_owned()]),
        action: None,
        rewarded: Some(false),
    };
    let newest = filter.query().order(decisions::id.desc()).select(Decision::as_select());
    newest.first(conn).await.optional()
}

/// What the policy saw of the action that the decision chose.
pub async fn example(conn: &mut Conn, id: DecisionId) -> QueryResult<Example> {
    let columns = (decisions::feature_indexes, decisions::feature_values, decisions::feature_prior);
    decisions::table.find(id).select(columns).first(conn).await.map(seen)
}

/// All decisions of a kind that have outcomes: what the policy saw, and what came of it. Rewards in the table are
/// within their bounds.
pub async fn outcomes(conn: &mut Conn, kind: &str) -> QueryResult<Vec<(Example, Reward)>> {
    let columns = (decisions::feature_indexes, decisions::feature_values, decisions::feature_prior);
    let of_kind = decisions::table.filter(decisions::kind.eq(kind));
    let rows: Vec<(Seen, f64)> = of_kind
        .filter(decisions::reward.is_not_null())
        .select((columns, decisions::reward.assume_not_null()))
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(columns, reward)| Some((seen(columns), reward.try_into().ok()?)))
        .collect())
}

/// Places, values, and what the prior predicted.
type Seen = (Vec<i32>, Vec<f64>, f64);

fn seen((indexes, values, prior): Seen) -> Example {
    let entries = indexes.into_iter().zip(values);
    let vector = entries.filter_map(|(index, value)| Some((usize::try_from(index).ok()?, value)));
    Example { vector: Vector::new(vector), prior }
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
