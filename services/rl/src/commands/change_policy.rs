use bhiv_bandit::Uplift;
use bhiv_outbox::{Command, Fault, Tx};

use super::create_policy::PolicyError;
use super::step::{Step, step};
use crate::domain::policy_input::PolicyChange;
use crate::domain::uplift;
use crate::store::{Json, policy};

/// Changes how a kind of decision is made and rewarded. With other settings its bounds begin anew.
#[derive(Debug)]
pub struct ChangePolicy {
    /// The kind of decision.
    pub kind: String,
    /// What changes.
    pub change: PolicyChange,
}

impl Command for ChangePolicy {
    type Output = ();
    type Refusal = PolicyError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<PolicyError>> {
        let row = policy::lock(tx.conn(), &self.kind).await?;
        let mut row = row.ok_or_else(|| PolicyError::NotFound(self.kind.clone()))?;
        let before = shown(&row);
        let PolicyChange { says, actions, settings } = self.change.clone();
        let mut uplift = Uplift::restore(row.settings.0.alpha, &row.uplift);
        if let Some(settings) = settings.filter(|settings| *settings != row.settings.0) {
            let faults = settings.faults();
            if !faults.is_empty() {
                return Err(PolicyError::Settings(faults).into());
            }
            uplift = uplift::begin(&settings);
            row.phase = row.version + 1;
            row.settings = Json(settings);
        }
        row.says = says.unwrap_or(row.says);
        row.default_actions = actions.map_or(row.default_actions, Json);
        let after = shown(&row);
        if before == after {
            return Ok(());
        }
        let model = policy::model(tx.conn(), &row).await?;
        step(tx, &mut row, &model, &uplift, Step::of("changed")).await?;
        tx.audit("policy.change", format!("policy/{}", row.kind), Some(&before), Some(&after));
        Ok(())
    }
}

/// What the audit keeps of it.
fn shown(row: &policy::PolicyRow) -> PolicyChange {
    PolicyChange {
        says: Some(row.says.clone()),
        actions: Some(row.default_actions.0.clone()),
        settings: Some(row.settings.0.clone()),
    }
}
