use bhiv_auth::Role;
use bhiv_db::Error;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Email;

use crate::events;
use crate::store::user::{self, User};

/// Somebody becomes a user.
#[derive(Debug)]
pub struct RegisterUser {
    /// What they log in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// Argon2id hash of their password.
    pub password_hash: String,
    /// What they are.
    pub roles: Vec<Role>,
}

/// Why somebody does not become a user.
#[derive(Debug, thiserror::Error)]
pub enum RegisterUserError {
    #[error("somebody has registered with this e-mail address")]
    EmailTaken,
}

impl Refusal for RegisterUserError {}

impl Command for RegisterUser {
    type Output = User;
    type Refusal = RegisterUserError;

    async fn run(&self, tx: &mut Tx) -> Result<User, Fault<RegisterUserError>> {
        let user = User {
            id: tx.id(),
            version: 1,
            email: self.email.clone(),
            name: self.name.clone(),
            password_hash: self.password_hash.clone(),
            roles: self.roles.iter().map(|role| role.name().to_owned()).collect(),
            team: None,
            disabled: false,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        user::insert(tx.conn(), &user).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("users_email") {
                Fault::Refused(RegisterUserError::EmailTaken)
            } else {
                Fault::Database(error)
            }
        })?;
        events::user_changed(tx, &user, "registered");
        tx.audit("user.register", format!("user/{}", user.id), None, Some(&user));
        Ok(user)
    }
}
