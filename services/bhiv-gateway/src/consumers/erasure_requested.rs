use bhiv_events::Event;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Command as _, Failure, HandleAny, Tx};

use crate::changes::Changes;
use crate::commands::erase_person::ErasePerson;

/// erasure_requested -> nothing here tells any more who the person is, and no answer from before is given any more.
pub struct ForgetThem(pub Changes);

impl HandleAny for ForgetThem {
    async fn handle_any(&self, tx: &mut Tx, event: &Event) -> Result<(), Failure> {
        let request = event.read::<ErasureRequested>();
        let request = request.map_err(|error| Failure::Never(format!("{}: {error}", event.type_)))?;
        ErasePerson(request).run(tx).await?;
        Ok(())
    }

    fn committed(&self) {
        self.0.everywhere();
    }
}
