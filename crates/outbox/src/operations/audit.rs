use std::convert::Infallible;

use serde_json::Value;

use crate::{Command, Fault, Tx};

/// One thing that an operator is about to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// For example `dlq.redrive`.
    pub action: String,
    /// What it is done to, for example `message/0190...`.
    pub entity: String,
    /// What is worth knowing of it afterwards.
    pub after: Value,
}

/// Records actions as audit rows of the service, in one transaction, before they are done: so the intent is
/// known even if the tool dies halfway. An action that then fails has its audit row all the same.
#[derive(Clone, Debug)]
pub struct RecordActions(pub Vec<Action>);

impl Command for RecordActions {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        for Action { action, entity, after } in &self.0 {
            tx.audit(action, entity, None, Some(after));
        }
        Ok(())
    }
}
