use std::collections::BTreeMap;

use bhiv_bandit::Uplift;
use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use serde::Serialize;

use super::step::{Step, step};
use crate::domain::model::{Model, Told};
use crate::domain::uplift;
use crate::store::decision::{self, Decision};
use crate::store::policy::{self, PolicyRow};

/// What the audit keeps of a policy that forgot: enough to prove that it did.
#[derive(Serialize)]
struct Knowledge {
    version: i64,
    observations: i64,
    /// SHA-256 of what it knew.
    hash: String,
}

impl Knowledge {
    fn of(row: &PolicyRow, model: &Model) -> Self {
        Self { version: row.version, observations: row.observations, hash: model.hash() }
    }
}

/// Has policies forget what they learned from decisions about these persons, as if they had never been: those that learn
/// for a purpose, or all of them. Such decisions are not learned from later either. Answers how many there were. A part
/// of other commands.
pub async fn forget(tx: &mut Tx, persons: &[String], purpose: Option<&str>) -> Result<usize, DieselError> {
    let mut by_kind: BTreeMap<String, Vec<(Decision, Option<Told>)>> = BTreeMap::new();
    // Policies first, in the order of their names, then decisions: as whoever learns does.
    let mut rows = BTreeMap::new();
    for kind in decision::kinds_of_persons(tx.conn(), persons).await? {
        if let Some(row) = policy::lock(tx.conn(), &kind).await? {
            let learns_for =
                row.settings.0.learning_purpose.as_ref().map(|purpose| purpose.as_str().to_owned());
            if purpose.is_none() || learns_for.as_deref() == purpose {
                rows.insert(kind, row);
            }
        }
    }
    for (decision, told) in decision::of_persons(tx.conn(), persons).await? {
        if rows.contains_key(&decision.kind) {
            by_kind.entry(decision.kind.clone()).or_default().push((decision, told));
        }
    }
    let mut count = 0;
    for (kind, found) in by_kind {
        count += found.len();
        let ids: Vec<_> = found.iter().map(|(decision, _)| decision.id).collect();
        let told: Vec<_> = found.into_iter().filter_map(|(_, told)| told).collect();
        // What was seen is needed to take it out.
        let model = match rows.get(&kind) {
            Some(row) => Some(policy::model(tx.conn(), row).await?),
            None => None,
        };
        let now = tx.now();
        decision::forget(tx.conn(), &ids, now).await?;
        if let (Some(row), Some(model), false) = (rows.remove(&kind), model, told.is_empty()) {
            unlearn(tx, row, model, &told).await?;
        }
    }
    Ok(count)
}

async fn unlearn(
    tx: &mut Tx,
    mut row: PolicyRow,
    mut model: Model,
    gone: &[Told],
) -> Result<(), DieselError> {
    let before = Knowledge::of(&row, &model);
    let mut is_out = true;
    for told in gone {
        is_out = is_out && model.forget(told);
    }
    if !is_out {
        model = policy::relearn(tx.conn(), &row, row.version).await?;
    }
    if let Some(pinned) = row.pinned {
        row.pinned_statistics = Some(policy::relearn(tx.conn(), &row, pinned).await?.statistics());
    }
    let mut known = Uplift::new(row.settings.0.alpha);
    for outcome in decision::phase_outcomes(tx.conn(), &row.kind, row.phase).await? {
        uplift::observe(&mut known, &outcome.candidates, &outcome.action, outcome.reward);
    }
    step(tx, &mut row, &model, &known, Step::of("forgot")).await?;
    let after = Knowledge::of(&row, &model);
    tx.audit("policy.forget", format!("policy/{}", row.kind), Some(&before), Some(&after));
    Ok(())
}
