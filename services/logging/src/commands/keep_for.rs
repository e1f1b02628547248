use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::domain::kind::LogKind;
use crate::store::retention::{self, Retention};

/// Changes how long a kind of entries is kept.
#[derive(Clone, Debug)]
pub struct KeepFor {
    /// Which kind.
    pub kind: LogKind,
    /// How many days; for ever if it is none.
    pub days: Option<i32>,
    /// Whether nothing may be dropped.
    pub legal_hold: bool,
    /// Why.
    pub reason: Option<String>,
}

impl Command for KeepFor {
    type Output = Retention;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Retention, Fault<Infallible>> {
        let before = retention::lock(tx.conn(), self.kind).await?;
        let after = Retention {
            kind: self.kind,
            days: self.days,
            legal_hold: self.legal_hold,
            reason: self.reason.clone(),
            version: before.version + 1,
            changed_at: tx.now(),
            changed_by: tx.actor().to_owned(),
        };
        retention::update(tx.conn(), &after).await?;
        let entity = format!("retention/{}", self.kind);
        tx.audit("retention.change", entity, Some(&before), Some(&after));
        Ok(after)
    }
}
