use std::convert::Infallible;

use bhiv_events::core::AccessDenied;
use bhiv_outbox::{Command, Fault, Origin, Tx};

use crate::events;

/// Requests were refused, by one caller or by callers without a name.
#[derive(Debug)]
pub struct NoteDenials(pub Vec<AccessDenied>);

impl NoteDenials {
    /// In whose name they are noted.
    pub fn origin(actor: String) -> Origin {
        Origin { actor, ..Origin::default() }
    }
}

impl Command for NoteDenials {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        for denied in &self.0 {
            events::access_denied(tx, denied);
        }
        Ok(())
    }
}
