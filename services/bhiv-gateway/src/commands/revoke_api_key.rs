use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use crate::store::api_key;

/// A key of a machine is of no use from now on.
#[derive(Debug)]
pub struct RevokeApiKey {
    /// Which key.
    pub id: Uuid,
    /// Whose it has to be.
    pub user_id: Uuid,
}

/// Why it cannot be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeApiKeyError {
    #[error("there is no key {0}")]
    NotFound(Uuid),
}

impl Refusal for RevokeApiKeyError {}

impl Command for RevokeApiKey {
    type Output = ();
    type Refusal = RevokeApiKeyError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<RevokeApiKeyError>> {
        let before = api_key::lock(tx.conn(), self.id).await?.filter(|key| key.user_id == self.user_id);
        let before = before.ok_or(RevokeApiKeyError::NotFound(self.id))?;
        if before.revoked_at.is_some() {
            return Ok(());
        }
        let now = tx.now();
        api_key::revoke(tx.conn(), self.id, now).await?;
        let mut after = before.clone();
        after.revoked_at = Some(now);
        tx.audit("api_key.revoke", format!("key/{}", self.id), Some(&before), Some(&after));
        Ok(())
    }
}
