use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::store::activity::{self, Activity};

/// Notes that something happened to a lead, an opportunity or an account: a part of other commands, and all
/// that some events need.
pub async fn note_activity(
    tx: &mut Tx,
    entity: String,
    kind: &str,
    summary: String,
) -> Result<(), DieselError> {
    let activity = Activity { id: tx.id(), entity, kind: kind.to_owned(), summary, created_at: tx.now() };
    activity::insert(tx.conn(), &activity).await
}
