use bhiv_bandit::Uplift;
use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::Serialize;

use super::step::{Step, step};
use crate::domain::model::Model;
use crate::domain::settings::Mode;
use crate::domain::uplift;
use crate::events;
use crate::store::policy::{self, PolicyRow};
use crate::store::snapshot;

/// Has the policy decide, as it is now.
#[derive(Debug)]
pub struct Promote(pub String);

/// Has the baseline decide, or what the policy knew with an earlier version.
#[derive(Debug)]
pub struct RollBack {
    /// The kind of decision.
    pub kind: String,
    /// Which version.
    pub version: Option<i64>,
}

/// Why nothing changes.
#[derive(Debug, thiserror::Error)]
pub enum ChangeModeError {
    #[error("there is no kind of decision '{0}'")]
    NotFound(String),
    #[error("the policy for '{0}' decides already, and so does what it knows now")]
    Live(String),
    #[error("the baseline decides '{0}' already")]
    Apprentice(String),
    #[error("the policy for '{kind}' has no version {version} that is on record")]
    UnknownVersion {
        /// The kind of decision.
        kind: String,
        /// The version asked for.
        version: i64,
    },
}

impl Refusal for ChangeModeError {}

impl Command for Promote {
    type Output = i64;
    type Refusal = ChangeModeError;

    async fn run(&self, tx: &mut Tx) -> Result<i64, Fault<ChangeModeError>> {
        let row = policy::lock(tx.conn(), &self.0).await?;
        let row = row.ok_or_else(|| ChangeModeError::NotFound(self.0.clone()))?;
        if row.mode() == Mode::Live && row.pinned.is_none() {
            return Err(ChangeModeError::Live(self.0.clone()).into());
        }
        let model = policy::model(tx.conn(), &row).await?;
        Ok(enter(tx, row, &model, Mode::Live, None, false).await?.version)
    }
}

impl Command for RollBack {
    type Output = i64;
    type Refusal = ChangeModeError;

    async fn run(&self, tx: &mut Tx) -> Result<i64, Fault<ChangeModeError>> {
        let row = policy::lock(tx.conn(), &self.kind).await?;
        let row = row.ok_or_else(|| ChangeModeError::NotFound(self.kind.clone()))?;
        let model = policy::model(tx.conn(), &row).await?;
        let row = match self.version {
            None if row.mode() == Mode::Apprentice => {
                return Err(ChangeModeError::Apprentice(self.kind.clone()).into());
            }
            None => enter(tx, row, &model, Mode::Apprentice, None, false).await?,
            Some(version) => {
                if snapshot::find(tx.conn(), &self.kind, version).await?.is_none() {
                    return Err(ChangeModeError::UnknownVersion { kind: self.kind.clone(), version }.into());
                }
                let known = policy::relearn(tx.conn(), &row, version).await?;
                enter(tx, row, &model, Mode::Live, Some((version, known)), false).await?
            }
        };
        Ok(row.version)
    }
}

/// What the audit keeps of a policy.
#[derive(Serialize)]
struct Standing {
    mode: String,
    version: i64,
    serves: Option<i64>,
}

impl Standing {
    fn of(row: &PolicyRow) -> Self {
        Self { mode: row.mode.clone(), version: row.version, serves: row.pinned }
    }
}

/// Has somebody else decide from now on: a new phase, whose bounds begin anew. `older` is a version that decides
/// instead of the newest, and what it knew.
pub async fn enter(
    tx: &mut Tx,
    mut row: PolicyRow,
    model: &Model,
    mode: Mode,
    older: Option<(i64, Model)>,
    automatic: bool,
) -> Result<PolicyRow, DieselError> {
    let before = Standing::of(&row);
    let known = Uplift::restore(row.settings.0.alpha, &row.uplift);
    let fresh = uplift::begin(&row.settings.0);
    let is_promotion = mode == Mode::Live && older.is_none();
    row.mode = mode.to_string();
    row.phase = row.version + 1;
    row.pinned = older.as_ref().map(|(version, _)| *version);
    row.pinned_statistics = older.map(|(_, model)| model.statistics());
    let cause = if is_promotion { "promoted" } else { "rolled_back" };
    step(tx, &mut row, model, &fresh, Step::of(cause)).await?;
    let after = Standing::of(&row);
    let entity = format!("policy/{}", row.kind);
    if is_promotion {
        events::policy_promoted(tx, &row, known.bounds(), automatic);
        tx.audit("policy.promote", entity, Some(&before), Some(&after));
    } else {
        events::policy_rolled_back(tx, &row, automatic);
        tx.audit("policy.roll_back", entity, Some(&before), Some(&after));
    }
    Ok(row)
}
