use bhiv_events::Event;
use bhiv_outbox::{Failure, HandleAll, Tx};

use super::any_event::module;
use crate::changes::Changes;

/// audit_recorded -> no answer of its module from before is given any more. By these rows a module tells of every
/// change that somebody made there, of those too that no other event tells of.
pub struct ForgetAnswers(pub Changes);

impl HandleAll for ForgetAnswers {
    async fn handle_all(&self, _: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let modules: Vec<_> = events.iter().map(|event| module(event)).collect();
        self.0.told(&modules);
        Ok(())
    }
}
