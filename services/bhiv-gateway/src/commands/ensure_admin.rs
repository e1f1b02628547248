use bhiv_auth::Role;
use bhiv_outbox::{Command, Fault, Tx};
use bhiv_types::Email;

use super::register_user::{RegisterUser, RegisterUserError};
use crate::store::user;

/// Makes the first administrator, unless there is a user with that address.
#[derive(Debug)]
pub struct EnsureAdmin {
    /// What they log in with.
    pub email: Email,
    /// Argon2id hash of their password.
    pub password_hash: String,
}

impl Command for EnsureAdmin {
    /// Whether one was made.
    type Output = bool;
    type Refusal = RegisterUserError;

    async fn run(&self, tx: &mut Tx) -> Result<bool, Fault<RegisterUserError>> {
        if user::with_email(tx.conn(), &self.email).await?.is_some() {
            return Ok(false);
        }
        let register = RegisterUser {
            email: self.email.clone(),
            name: "Administrator".to_owned(),
            password_hash: self.password_hash.clone(),
            roles: vec![Role::Admin],
        };
        register.run(tx).await?;
        Ok(true)
    }
}
