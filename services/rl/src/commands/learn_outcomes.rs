use std::convert::Infallible;

use bhiv_bandit::Uplift;
use bhiv_outbox::{Command, Fault, Tx};

use super::change_mode::enter;
use super::step::{Step, step};
use crate::domain::uplift;
use crate::store::decision::{self, Unlearned};
use crate::store::policy;

/// How many outcomes one version learns from, at most.
pub const AT_A_TIME: usize = 500;

/// Has one policy learn from what came of its decisions, and answers how much that was. One replica at a time learns
/// for a kind of decision: the others leave it alone.
#[derive(Debug)]
pub struct LearnOutcomes;

impl Command for LearnOutcomes {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let mut most = 0;
        for kind in decision::unlearned_kinds(tx.conn()).await? {
            most = most.max(learn(tx, &kind).await?);
        }
        Ok(most)
    }
}

async fn learn(tx: &mut Tx, kind: &str) -> Result<usize, Fault<Infallible>> {
    let Some(mut row) = policy::try_lock(tx.conn(), kind).await? else { return Ok(0) };
    let limit = i64::try_from(AT_A_TIME).unwrap_or(i64::MAX);
    let unlearned = decision::to_be_learned(tx.conn(), kind, limit).await?;
    if unlearned.is_empty() {
        return Ok(0);
    }
    let mut model = policy::model(tx.conn(), &row).await?;
    let together: Vec<_> = unlearned.iter().map(|unlearned| unlearned.told.clone()).collect();
    model.learn(&together);

    let settings = row.settings.0.clone();
    let mut uplift = Uplift::restore(settings.alpha, &row.uplift);
    for Unlearned { outcome, policy_version, .. } in &unlearned {
        if *policy_version >= row.phase {
            uplift::observe(&mut uplift, &outcome.candidates, &outcome.action, outcome.reward);
        }
    }
    let mean = |of: fn(&Unlearned) -> f64| {
        let count = f64::from(u32::try_from(unlearned.len()).unwrap_or(u32::MAX));
        unlearned.iter().map(of).sum::<f64>() / count
    };
    let learned = Step {
        cause: "learned",
        outcomes: unlearned.len(),
        mean_reward: Some(mean(|one| one.outcome.reward)),
        squared_error: Some(mean(|one| (one.outcome.reward - one.score).powi(2))),
    };
    step(tx, &mut row, &model, &uplift, learned).await?;
    let ids: Vec<_> = unlearned.iter().map(|unlearned| unlearned.id).collect();
    decision::mark_learned(tx.conn(), &ids, row.version).await?;

    if let Some(mode) = uplift::verdict(row.mode(), &uplift).filter(|_| settings.automatic) {
        enter(tx, row, &model, mode, None, true).await?;
    }
    Ok(unlearned.len())
}
