use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use crate::domain::user::UserChange;
use crate::events;
use crate::store::user::{self, User};

/// Changes a user's name, roles or team.
#[derive(Debug)]
pub struct PatchUser {
    /// Which user.
    pub id: Uuid,
    /// What changes.
    pub change: UserChange,
}

/// Why a user stays as they are.
#[derive(Debug, thiserror::Error)]
pub enum PatchUserError {
    #[error("there is no user {0}")]
    NotFound(Uuid),
}

impl Refusal for PatchUserError {}

impl Command for PatchUser {
    type Output = User;
    type Refusal = PatchUserError;

    async fn run(&self, tx: &mut Tx) -> Result<User, Fault<PatchUserError>> {
        let before = user::lock(tx.conn(), self.id).await?.ok_or(PatchUserError::NotFound(self.id))?;
        let UserChange { name, roles, team, disabled } = self.change.clone();
        let mut after = before.clone();
        if let Some(name) = name {
            after.name = name;
        }
        if let Some(roles) = roles {
            after.roles = roles.iter().map(|role| role.name().to_owned()).collect();
        }
        team.apply(&mut after.team);
        if let Some(disabled) = disabled {
            after.disabled = disabled;
        }
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        user::update(tx.conn(), &after).await?;
        events::user_changed(tx, &after, "updated");
        tx.audit("user.update", format!("user/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
