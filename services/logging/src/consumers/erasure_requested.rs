use bhiv_events::Event;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Failure, Handle, Tx};

use crate::commands::erase_person::erase_person;

/// A person is to be forgotten -> the keys of what tells who they are are destroyed.
pub struct ForgetThem;

impl Handle<ErasureRequested> for ForgetThem {
    async fn handle(&self, tx: &mut Tx, _: &Event, data: ErasureRequested) -> Result<(), Failure> {
        erase_person(tx, &data).await?;
        Ok(())
    }
}
