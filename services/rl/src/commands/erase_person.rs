use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::Tx;

use super::forget_persons::forget;
use crate::store::{consent, decision, verdict};

/// Has all policies forget a person, and takes everything from decisions that tells who they are. What stays of a
/// decision is what was chosen with which probability, and what it earned.
pub async fn erase(tx: &mut Tx, request: &ErasureRequested) -> Result<(), DieselError> {
    let mut erasure = tx.begin_erasure(request).await?;
    let names = erasure.names();
    let examples = forget(tx, &names, None).await?;
    erasure.removed("examples", examples);
    let stripped = decision::strip(tx.conn(), &names).await?;
    erasure.removed("decisions' contexts", stripped);
    erasure.removed("verdicts", verdict::forget(tx.conn(), &names).await?);
    erasure.removed("consents", consent::forget(tx.conn(), &names).await?);
    erasure.kept(
        "decisions",
        stripped,
        "What was chosen and earned is counted; nothing in it tells who the person is",
    );
    tx.finish_erasure(erasure).await
}
