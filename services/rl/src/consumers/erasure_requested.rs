use bhiv_events::Event;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Failure, Handle, Tx};

use crate::commands::erase_person::erase;

/// erasure_requested -> what was learned from a person is forgotten, and nothing tells who they are.
pub struct ForgetThem;

impl Handle<ErasureRequested> for ForgetThem {
    async fn handle(&self, tx: &mut Tx, _: &Event, request: ErasureRequested) -> Result<(), Failure> {
        erase(tx, &request).await?;
        Ok(())
    }
}
