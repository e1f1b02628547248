use bhiv_bandit::Uplift;
use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::domain::model::Model;
use crate::store::policy::{self, PolicyRow};
use crate::store::snapshot::{self, Snapshot};

/// What made a new version of a policy.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// In a word.
    pub cause: &'static str,
    /// How many outcomes it learned from.
    pub outcomes: usize,
    /// Their mean reward.
    pub mean_reward: Option<f64>,
    /// The mean square of what they missed.
    pub squared_error: Option<f64>,
}

impl Step {
    /// A step without new outcomes.
    pub fn of(cause: &'static str) -> Self {
        Self { cause, outcomes: 0, mean_reward: None, squared_error: None }
    }
}

/// Makes the next version of a policy, which the caller has locked and changed: a part of other commands.
pub async fn step(
    tx: &mut Tx,
    row: &mut PolicyRow,
    model: &Model,
    uplift: &Uplift,
    step: Step,
) -> Result<(), DieselError> {
    row.version += 1;
    row.observations = model.examples();
    row.statistics = (row.observations > 0).then(|| model.statistics());
    row.uplift = uplift.state();
    row.updated_at = tx.now();
    policy::update(tx.conn(), row).await?;
    note(tx, row, model, uplift, step).await
}

/// Writes down what a version of a policy is.
pub async fn note(
    tx: &mut Tx,
    row: &PolicyRow,
    model: &Model,
    uplift: &Uplift,
    step: Step,
) -> Result<(), DieselError> {
    let (uplift_lower, uplift_upper) = uplift.bounds();
    let snapshot = Snapshot {
        kind: row.kind.clone(),
        version: row.version,
        cause: step.cause.to_owned(),
        mode: row.mode.clone(),
        observations: row.observations,
        hash: model.hash(),
        outcomes: i64::try_from(step.outcomes).unwrap_or(i64::MAX),
        mean_reward: step.mean_reward,
        squared_error: step.squared_error,
        uplift_lower,
        uplift_upper,
        created_at: tx.now(),
    };
    snapshot::insert(tx.conn(), &snapshot).await
}
