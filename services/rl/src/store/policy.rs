use std::collections::BTreeMap;
use std::str::FromStr as _;

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Json, decision};
use crate::domain::model::Model;
use crate::domain::policy::Policy;
use crate::domain::prior::Prior;
use crate::domain::settings::{Form, Mode, Settings};
use crate::schema::policies;

/// A policy with all that it learned.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, AsChangeset, Identifiable, Insertable)]
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
    /// Ridge regression's lambda.
    pub lambda: f64,
    /// Grows by one with each change, what it learns included.
    pub version: i64,
    /// How many outcomes it learned from.
    pub observations: i64,
    /// What the model knows; null until its first outcome. It follows from the decisions that have outcomes.
    pub statistics: Option<Vec<u8>>,
    /// Whether actions share what is learned.
    pub model: String,
    /// How it is made and rewarded.
    pub settings: Json<Settings>,
    /// Who decides.
    pub mode: String,
    /// The version that its mode and settings began with.
    pub phase: i64,
    /// What is known of its uplift over the baseline in this phase.
    pub uplift: Vec<f64>,
    /// The version that decides instead of the newest one.
    pub pinned: Option<i64>,
    /// What the model knew then.
    pub pinned_statistics: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl PolicyRow {
    /// Whether actions share what is learned.
    pub fn form(&self) -> Form {
        Form::from_str(&self.model).unwrap_or_default()
    }

    /// Who decides.
    pub fn mode(&self) -> Mode {
        Mode::from_str(&self.mode).unwrap_or(Mode::Apprentice)
    }

    /// A model that knows nothing.
    pub fn fresh(&self) -> Model {
        Model::new(self.form(), self.size(), self.lambda)
    }

    fn size(&self) -> usize {
        usize::try_from(self.dimension).unwrap_or(1)
    }
}

/// What a policy learned. Statistics of another number of outcomes than it counted are those of a version before this
/// one, or none: they are computed anew from its decisions.
pub async fn model(conn: &mut Conn, policy: &PolicyRow) -> QueryResult<Model> {
    let restore = |kept: &[u8]| Model::restore(policy.form(), policy.size(), policy.lambda, kept).ok();
    let kept = policy.statistics.as_deref().and_then(restore);
    match kept.filter(|model| model.examples() == policy.observations) {
        Some(model) => Ok(model),
        None if policy.observations == 0 => Ok(policy.fresh()),
        None => relearn(conn, policy, policy.version).await,
    }
}

/// What a policy would know if it were told anew, from its decisions, all that it had learned up to a version: in the
/// same turns, so that it is the same, bit for bit, but for what was forgotten since.
pub async fn relearn(conn: &mut Conn, policy: &PolicyRow, up_to: i64) -> QueryResult<Model> {
    let mut model = policy.fresh();
    for together in decision::learned(conn, &policy.kind, up_to).await? {
        model.learn(&together);
    }
    model.settle();
    Ok(model)
}

/// What decides: the newest, or the version that it was rolled back to.
pub async fn serving(conn: &mut Conn, row: &PolicyRow) -> QueryResult<Policy> {
    let pinned = row.pinned.zip(row.pinned_statistics.as_deref()).and_then(|(version, kept)| {
        Some((version, Model::restore(row.form(), row.size(), row.lambda, kept).ok()?))
    });
    let (version, model) = match pinned {
        Some(pinned) => pinned,
        None => (row.version, model(conn, row).await?),
    };
    Ok(Policy {
        version,
        mode: row.mode(),
        settings: row.settings.0.clone(),
        default_actions: row.default_actions.0.clone(),
        prior: Prior::from(&row.prior.0),
        model,
    })
}

/// Writes a new policy; false if there is one for this kind of decision.
pub async fn insert(conn: &mut Conn, policy: &PolicyRow) -> QueryResult<bool> {
    let inserted = diesel::insert_into(policies::table).values(policy).on_conflict_do_nothing();
    Ok(inserted.execute(conn).await? == 1)
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

/// The same, unless somebody else has it: then nothing.
pub async fn try_lock(conn: &mut Conn, kind: &str) -> QueryResult<Option<PolicyRow>> {
    let row = policies::table.find(kind).select(PolicyRow::as_select());
    row.for_no_key_update().skip_locked().first(conn).await.optional()
}

/// Writes a policy that changed.
pub async fn update(conn: &mut Conn, policy: &PolicyRow) -> QueryResult<()> {
    diesel::update(policy).set(policy).execute(conn).await.map(drop)
}

/// Every policy, by kind.
pub async fn list(conn: &mut Conn) -> QueryResult<Vec<PolicyRow>> {
    policies::table.order(policies::kind).select(PolicyRow::as_select()).load(conn).await
}

/// Every kind of decision with the version of its policy.
pub async fn versions(conn: &mut Conn) -> QueryResult<Vec<(String, i64)>> {
    policies::table.order(policies::kind).select((policies::kind, policies::version)).load(conn).await
}

/// Every kind of decision.
pub async fn kinds(conn: &mut Conn) -> QueryResult<Vec<String>> {
    policies::table.order(policies::kind).select(policies::kind).load(conn).await
}
