//! Policies are written and changed. Each is checked first, and every version is kept.

use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::policy::draft::{InvalidPolicy, NewPolicy, PolicyChange, check};
use crate::store::policy::{self, Policy};

/// A policy is written.
#[derive(Debug)]
pub struct CreatePolicy(pub NewPolicy);

/// A policy changes: it gets a new version. What was judged already stays as it was judged.
#[derive(Debug)]
pub struct PatchPolicy {
    /// Which.
    pub id: String,
    /// What changes.
    pub change: PolicyChange,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("there is no policy {0}")]
    NotFound(String),
    #[error("there is a policy {0} already")]
    Exists(String),
    #[error(transparent)]
    Invalid(#[from] InvalidPolicy),
}

impl Refusal for PolicyError {}

impl Command for CreatePolicy {
    type Output = Policy;
    type Refusal = PolicyError;

    async fn run(&self, tx: &mut Tx) -> Result<Policy, Fault<PolicyError>> {
        let NewPolicy { id, says, cedar, enabled } = self.0.clone();
        check(&cedar).map_err(PolicyError::from)?;
        policy::lock_id(tx.conn(), &id).await?;
        if policy::find(tx.conn(), &id).await?.is_some() {
            return Err(PolicyError::Exists(id).into());
        }
        let (created_at, updated_at) = (tx.now(), tx.now());
        let policy = Policy { id, version: 1, says, cedar, enabled, created_at, updated_at };
        policy::insert(tx.conn(), &policy).await?;
        keep(tx, &policy).await?;
        tx.audit("policy.create", format!("policy/{}", policy.id), None, Some(&policy));
        Ok(policy)
    }
}

impl Command for PatchPolicy {
    type Output = Policy;
    type Refusal = PolicyError;

    async fn run(&self, tx: &mut Tx) -> Result<Policy, Fault<PolicyError>> {
        let before = policy::lock(tx.conn(), &self.id).await?;
        let before = before.ok_or_else(|| PolicyError::NotFound(self.id.clone()))?;
        let PolicyChange { says, cedar, enabled } = self.change.clone();
        let mut after = before.clone();
        after.says = says.unwrap_or(after.says);
        after.cedar = cedar.unwrap_or(after.cedar);
        after.enabled = enabled.unwrap_or(after.enabled);
        if after == before {
            return Ok(before);
        }
        // Whoever only wants to be rid of a policy need not put it right first.
        if after.enabled || after.cedar != before.cedar {
            check(&after.cedar).map_err(PolicyError::from)?;
        }
        // What an operator wrote into the database by hand was kept by nobody.
        let written = before.as_version("unknown");
        policy::keep(tx.conn(), &written).await?;
        after.version += 1;
        after.updated_at = tx.now();
        policy::update(tx.conn(), &after).await?;
        keep(tx, &after).await?;
        tx.audit("policy.update", format!("policy/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}

async fn keep(tx: &mut Tx, policy: &Policy) -> Result<(), bhiv_db::DieselError> {
    let version = policy.as_version(tx.actor());
    policy::keep(tx.conn(), &version).await
}
