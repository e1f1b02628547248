use bhiv_events::Event;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Command as _, Failure, Handle, Tx};

use crate::commands::erase_person::ErasePerson;

/// erasure_requested -> nothing here tells any more who the person is.
pub struct ForgetThem;

impl Handle<ErasureRequested> for ForgetThem {
    async fn handle(&self, tx: &mut Tx, _: &Event, request: ErasureRequested) -> Result<(), Failure> {
        ErasePerson(request).run(tx).await?;
        Ok(())
    }
}
