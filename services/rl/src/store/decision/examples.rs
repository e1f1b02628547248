//! Decisions as a policy learns from them.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use super::Decision;
use crate::domain::evaluation::Outcome;
use crate::domain::ids::DecisionId;
use crate::domain::model::{Example, Told};
use crate::schema::decisions;
use crate::store::Json;

/// What a policy saw of the action that was chosen: block, places, values, what the prior predicted.
type Seen = (String, Vec<i32>, Vec<f64>, f64);

const SEEN: (
    decisions::block,
    decisions::feature_indexes,
    decisions::feature_values,
    decisions::feature_prior,
) = (decisions::block, decisions::feature_indexes, decisions::feature_values, decisions::feature_prior);

fn example((block, indexes, values, prior): Seen) -> Example {
    let entries = indexes.into_iter().zip(values);
    let row = entries.filter_map(|(index, value)| Some((usize::try_from(index).ok()?, value)));
    Example { block, row: row.collect(), prior }
}

/// A decision that nobody has learned from yet.
#[derive(Clone, Debug)]
pub struct Unlearned {
    /// Which.
    pub id: DecisionId,
    /// What the policy saw, and what came of it.
    pub told: Told,
    /// What was predicted of it.
    pub score: f64,
    /// The version that decided.
    pub policy_version: i64,
    /// What came of which candidate.
    pub outcome: Outcome,
}

/// The kinds of decision that have something to be learned from.
pub async fn unlearned_kinds(conn: &mut Conn) -> QueryResult<Vec<String>> {
    decisions::table
        .filter(decisions::reward.is_not_null())
        .filter(decisions::learned_in.is_null())
        .filter(decisions::forgotten_at.is_null())
        .select(decisions::kind)
        .distinct()
        .load(conn)
        .await
}

/// Up to `limit` decisions of a kind with outcomes that nobody has learned from yet, the oldest first.
pub async fn to_be_learned(conn: &mut Conn, kind: &str, limit: i64) -> QueryResult<Vec<Unlearned>> {
    type Row = (DecisionId, Seen, f64, f64, i64, Json<Vec<crate::domain::decision::Judged>>, String);
    let rows: Vec<Row> = decisions::table
        .filter(decisions::kind.eq(kind))
        .filter(decisions::reward.is_not_null())
        .filter(decisions::learned_in.is_null())
        .filter(decisions::forgotten_at.is_null())
        .order(decisions::id)
        .limit(limit)
        .select((
            decisions::id,
            SEEN,
            decisions::reward.assume_not_null(),
            decisions::score,
            decisions::policy_version,
            decisions::candidates,
            decisions::action,
        ))
        .load(conn)
        .await?;
    let unlearned = |(id, seen, reward, score, policy_version, candidates, action): Row| Unlearned {
        id,
        told: (example(seen), reward),
        score,
        policy_version,
        outcome: Outcome { candidates: candidates.0, action, reward },
    };
    Ok(rows.into_iter().map(unlearned).collect())
}

/// A version of the policy learned from these.
pub async fn mark_learned(conn: &mut Conn, ids: &[DecisionId], version: i64) -> QueryResult<()> {
    let learned = decisions::table.filter(decisions::id.eq_any(ids.to_vec()));
    diesel::update(learned).set(decisions::learned_in.eq(version)).execute(conn).await.map(drop)
}

/// All that a policy was told up to a version, and has not forgotten: what was told together, in the order of the
/// versions that learned it.
pub async fn learned(conn: &mut Conn, kind: &str, up_to: i64) -> QueryResult<Vec<Vec<Told>>> {
    let rows: Vec<(i64, Seen, f64)> = decisions::table
        .filter(decisions::kind.eq(kind))
        .filter(decisions::reward.is_not_null())
        .filter(decisions::learned_in.le(up_to))
        .filter(decisions::forgotten_at.is_null())
        .order((decisions::learned_in, decisions::id))
        .select((decisions::learned_in.assume_not_null(), SEEN, decisions::reward.assume_not_null()))
        .load(conn)
        .await?;
    let mut turns: Vec<Vec<Told>> = Vec::new();
    let mut current = None;
    for (version, seen, reward) in rows {
        let told = (example(seen), reward);
        match turns.last_mut() {
            Some(turn) if current == Some(version) => turn.push(told),
            _ => turns.push(vec![told]),
        }
        current = Some(version);
    }
    Ok(turns)
}

/// What came of the decisions of a kind that were made since a version of its policy and learned, in the order in which
/// they were.
pub async fn phase_outcomes(conn: &mut Conn, kind: &str, since: i64) -> QueryResult<Vec<Outcome>> {
    let rows: Vec<(Json<Vec<crate::domain::decision::Judged>>, String, f64)> = decisions::table
        .filter(decisions::kind.eq(kind))
        .filter(decisions::reward.is_not_null())
        .filter(decisions::learned_in.is_not_null())
        .filter(decisions::policy_version.ge(since))
        .filter(decisions::forgotten_at.is_null())
        .order((decisions::learned_in, decisions::id))
        .select((decisions::candidates, decisions::action, decisions::reward.assume_not_null()))
        .load(conn)
        .await?;
    let outcome =
        |(candidates, action, reward): (Json<_>, _, _)| Outcome { candidates: candidates.0, action, reward };
    Ok(rows.into_iter().map(outcome).collect())
}

/// The kinds of the decisions about these persons that are not forgotten yet, in their order.
pub async fn kinds_of_persons(conn: &mut Conn, persons: &[String]) -> QueryResult<Vec<String>> {
    let about = decisions::subject.eq_any(persons.to_vec()).or(decisions::reference.eq_any(persons.to_vec()));
    decisions::table
        .filter(about)
        .filter(decisions::forgotten_at.is_null())
        .order(decisions::kind)
        .select(decisions::kind)
        .distinct()
        .load(conn)
        .await
}

/// The decisions about these persons that are not forgotten yet, locked, and what a policy learned of each, if one did.
/// The oldest first.
pub async fn of_persons(conn: &mut Conn, persons: &[String]) -> QueryResult<Vec<(Decision, Option<Told>)>> {
    let about = decisions::subject.eq_any(persons.to_vec()).or(decisions::reference.eq_any(persons.to_vec()));
    let rows: Vec<(Decision, Seen, Option<i64>)> = decisions::table
        .filter(about)
        .filter(decisions::forgotten_at.is_null())
        .order(decisions::id)
        .for_update()
        .select((Decision::as_select(), SEEN, decisions::learned_in))
        .load(conn)
        .await?;
    let told = |(decision, seen, learned): (Decision, Seen, Option<i64>)| {
        let told = learned.and(decision.reward).map(|reward| (example(seen), reward));
        (decision, told)
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Has these decisions be examples no more: nothing is left of what was seen of them.
pub async fn forget(conn: &mut Conn, ids: &[DecisionId], now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(decisions::table.filter(decisions::id.eq_any(ids.to_vec())))
        .set((
            decisions::forgotten_at.eq(now),
            decisions::closed_at.eq(diesel::dsl::sql::<Nullable<Timestamptz>>("coalesce(closed_at, ")
                .bind::<Timestamptz, _>(now)
                .sql(")")),
            decisions::feature_indexes.eq(Vec::<i32>::new()),
            decisions::feature_values.eq(Vec::<f64>::new()),
            decisions::feature_prior.eq(0.0),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Takes everything from the decisions about these persons that tells who they are; answers of how many.
pub async fn strip(conn: &mut Conn, persons: &[String]) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE decisions SET
             subject = NULL, reference = NULL, query = '', context = '{}', comment = NULL, reasoning = '',
             mattered = '[]', masked = '[]',
             candidates = (SELECT coalesce(jsonb_agg(jsonb_set(candidate, '{features}', '{}')), '[]')
                           FROM jsonb_array_elements(candidates) AS candidate)
         WHERE subject = ANY ($1) OR reference = ANY ($1)",
    )
    .bind::<Array<Text>, _>(persons)
    .execute(conn)
    .await
}
