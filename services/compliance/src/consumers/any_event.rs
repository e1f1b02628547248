use bhiv_events::Event;
use bhiv_outbox::{Command as _, Failure, Fault, HandleAny, Tx};

use crate::commands::check_event::CheckEvent;
use crate::domain::rulebook::Rulebook;

/// Any event -> it is judged.
#[derive(Default)]
pub struct JudgeIt {
    rulebook: Rulebook,
}

impl HandleAny for JudgeIt {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let check = CheckEvent { event: event.clone(), rulebook: self.rulebook.clone() };
        match check.run(tx).await {
            // It will not become another event.
            Err(Fault::Refused(unjudgeable)) => Err(Failure::Never(unjudgeable.to_string())),
            judged => judged.map_err(Failure::from),
        }
    }
}
