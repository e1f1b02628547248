use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use crate::domain::api_key::{ApiKey, NewApiKey};
use crate::store::api_key::{self, ApiKeyRow};
use crate::store::user;

/// Keys that a user can have.
const MOST: i64 = 50;

/// A user makes a key for a machine.
#[derive(Debug)]
pub struct MakeApiKey {
    /// Whose it is.
    pub user_id: Uuid,
    /// What they want.
    pub new: NewApiKey,
    /// The key, which is not stored.
    pub key: ApiKey,
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum MakeApiKeyError {
    #[error("only users have keys, and {0} is none")]
    NoUser(Uuid),
    #[error("a user has {MOST} keys at most")]
    TooMany,
    #[error("it would end before it begins")]
    Expired,
}

impl Refusal for MakeApiKeyError {}

impl Command for MakeApiKey {
    type Output = ApiKeyRow;
    type Refusal = MakeApiKeyError;

    async fn run(&self, tx: &mut Tx) -> Result<ApiKeyRow, Fault<MakeApiKeyError>> {
        if user::lock(tx.conn(), self.user_id).await?.is_none() {
            return Err(MakeApiKeyError::NoUser(self.user_id).into());
        }
        if api_key::count(tx.conn(), self.user_id).await? >= MOST {
            return Err(MakeApiKeyError::TooMany.into());
        }
        let now = tx.now();
        if self.new.expires_at.is_some_and(|end| end <= now) {
            return Err(MakeApiKeyError::Expired.into());
        }
        let row = ApiKeyRow {
            id: tx.id(),
            user_id: self.user_id,
            name: self.new.name.clone(),
            hint: self.key.hint().to_owned(),
            hash: self.key.hash(),
            scopes: self.new.scopes.iter().map(|scope| scope.0.to_string()).collect(),
            created_at: now,
            expires_at: self.new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        api_key::insert(tx.conn(), &row).await?;
        tx.audit("api_key.make", format!("key/{}", row.id), None, Some(&row));
        Ok(row)
    }
}
