use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::domain::approval::ApprovalStatus;
use crate::domain::ids::RunId;
use crate::events;
use crate::store::approval::{self, Approval};

/// What became of the question that a run waits for, if it waits for one. The run is locked.
pub async fn end_approval(
    tx: &mut Tx,
    run: RunId,
    status: ApprovalStatus,
    decided_by: Option<String>,
    comment: Option<String>,
) -> Result<Option<Approval>, DieselError> {
    let Some(before) = approval::lock_pending(tx.conn(), run).await? else { return Ok(None) };
    let after = Approval {
        status,
        decided_by,
        comment,
        decided_at: Some(tx.now()),
        version: before.version + 1,
        ..before.clone()
    };
    approval::update(tx.conn(), &after).await?;
    events::approval_decided(tx, &after);
    Ok(Some(after))
}
