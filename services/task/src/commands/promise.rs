//! What is promised of tasks, by how urgent they are.

use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Priority;

use crate::domain::service_level::NewServiceLevel;
use crate::store::service_level::{self, ServiceLevel};

/// Promises something of tasks that are created from now on.
#[derive(Debug)]
pub struct PutServiceLevel {
    /// Of those that are so urgent.
    pub priority: Priority,
    /// What.
    pub new: NewServiceLevel,
}

/// Promises nothing any more.
#[derive(Debug)]
pub struct DeleteServiceLevel(pub Priority);

/// Nothing was promised.
#[derive(Debug, thiserror::Error)]
#[error("nothing is promised of tasks of {0} priority")]
pub struct NoServiceLevel(pub Priority);

impl Refusal for NoServiceLevel {}

impl Command for PutServiceLevel {
    type Output = ServiceLevel;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<ServiceLevel, Fault<Infallible>> {
        let before = service_level::lock(tx.conn(), self.priority).await?;
        let NewServiceLevel { respond_within_minutes, resolve_within_minutes, escalate_after_minutes } =
            self.new;
        let after = ServiceLevel {
            priority: self.priority,
            version: before.as_ref().map_or(0, |before| before.version) + 1,
            respond_within_minutes,
            resolve_within_minutes,
            escalate_after_minutes,
            updated_at: tx.now(),
        };
        service_level::put(tx.conn(), &after).await?;
        let entity = format!("service_level/{}", self.priority);
        tx.audit("service_level.put", entity, before.as_ref().map(|it| it as _), Some(&after));
        Ok(after)
    }
}

impl Command for DeleteServiceLevel {
    type Output = ();
    type Refusal = NoServiceLevel;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<NoServiceLevel>> {
        let before = service_level::lock(tx.conn(), self.0).await?.ok_or(NoServiceLevel(self.0))?;
        service_level::delete(tx.conn(), self.0).await?;
        tx.audit("service_level.delete", format!("service_level/{}", self.0), Some(&before), None);
        Ok(())
    }
}
