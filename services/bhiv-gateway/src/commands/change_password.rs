use bhiv_outbox::{Command, Fault, Tx};
use uuid::Uuid;

use super::patch_user::PatchUserError;
use crate::events;
use crate::store::user;

/// A user has another password from now on.
#[derive(Debug)]
pub struct ChangePassword {
    /// Which user.
    pub id: Uuid,
    /// Argon2id hash of it.
    pub password_hash: String,
}

impl Command for ChangePassword {
    type Output = ();
    type Refusal = PatchUserError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<PatchUserError>> {
        let before = user::lock(tx.conn(), self.id).await?.ok_or(PatchUserError::NotFound(self.id))?;
        let mut after = before.clone();
        after.password_hash.clone_from(&self.password_hash);
        after.version += 1;
        after.updated_at = tx.now();
        user::update(tx.conn(), &after).await?;
        events::user_changed(tx, &after, "updated");
        tx.audit("user.change_password", format!("user/{}", after.id), Some(&before), Some(&after));
        Ok(())
    }
}
