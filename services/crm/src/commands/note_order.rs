use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use uuid::Uuid;

use super::note_activity::note_activity;
use crate::store::order_link;

/// Notes something about an order at what it belongs to; at the order itself as long as that is not known.
pub async fn note_order(tx: &mut Tx, order_id: Uuid, kind: &str, summary: String) -> Result<(), DieselError> {
    let entity = order_link::lock(tx.conn(), order_id).await?;
    let entity = entity.unwrap_or_else(|| format!("order/{order_id}"));
    // Whoever it belonged to may have been forgotten.
    if tx.is_erased(&entity).await? {
        return Ok(());
    }
    note_activity(tx, entity, kind, summary).await
}
