use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::step::{Step, note};
use crate::domain::policy_input::NewPolicy;
use crate::domain::settings::{self, Mode};
use crate::domain::uplift;
use crate::store::Json;
use crate::store::policy::{self, PolicyRow};

/// Has a new kind of decision be made: by its baseline, while its policy learns.
#[derive(Debug)]
pub struct CreatePolicy(pub NewPolicy);

/// Why a kind of decision is not made, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no kind of decision '{0}'")]
    NotFound(String),
    #[error("there is a kind of decision '{0}' already")]
    Exists(String),
    #[error("the settings contradict one another")]
    Settings(Vec<settings::Fault>),
    #[error("the prior of '{0}' must be a number from -10 to 10")]
    Prior(String),
}

impl Refusal for PolicyError {}

impl Command for CreatePolicy {
    type Output = String;
    type Refusal = PolicyError;

    async fn run(&self, tx: &mut Tx) -> Result<String, Fault<PolicyError>> {
        let new = self.0.clone();
        let faults = new.settings.faults();
        if !faults.is_empty() {
            return Err(PolicyError::Settings(faults).into());
        }
        if let Some((name, _)) = new.prior.iter().find(|(_, weight)| !(-10.0..=10.0).contains(*weight)) {
            return Err(PolicyError::Prior(name.clone()).into());
        }
        let uplift = uplift::begin(&new.settings);
        let row = PolicyRow {
            kind: new.kind,
            says: new.says,
            default_actions: Json(new.actions),
            prior: Json(new.prior),
            dimension: new.dimension,
            lambda: new.lambda,
            version: 1,
            observations: 0,
            statistics: None,
            model: new.model.to_string(),
            settings: Json(new.settings),
            mode: Mode::Apprentice.to_string(),
            phase: 1,
            uplift: uplift.state(),
            pinned: None,
            pinned_statistics: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        if !policy::insert(tx.conn(), &row).await? {
            return Err(PolicyError::Exists(row.kind).into());
        }
        note(tx, &row, &row.fresh(), &uplift, Step::of("created")).await?;
        tx.audit("policy.create", format!("policy/{}", row.kind), None, Some(&row.settings));
        Ok(row.kind)
    }
}
