use bhiv_events::{Event, PersonErased, Producer};
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::commands::take_answer::TakeAnswer;

/// person_erased, of any module -> the erasure knows it.
pub struct TakeIt;

impl HandleAny for TakeIt {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let malformed = |error| Failure::Never(format!("the data is no person_erased: {error}"));
        let answer: PersonErased = event.read().map_err(malformed)?;
        let module = Producer::ALL.into_iter().find(|producer| producer.source() == event.source);
        let module = module.ok_or_else(|| Failure::Never(format!("{} is no module", event.source)))?;
        TakeAnswer { module, answer }.run(tx).await.map_err(Failure::from)
    }
}
