use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use bhiv_auth::Role;
use bhiv_types::{Email, Patch};
use serde::Deserialize;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A password as a client sends it. It cannot be printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl ToSchema for Password {}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(10))
            .max_length(Some(200))
            .into()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Why a password has no hash.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

impl Password {
    /// Its argon2id hash with a salt of its own, in PHC form. Takes tens of milliseconds of CPU.
    pub fn hash(&self) -> Result<String, HashError> {
        let hash = Argon2::default().hash_password(self.0.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
    }

    /// Whether `hash` is its hash. As slow as [`Password::hash`].
    pub fn matches(&self, hash: &str) -> bool {
        PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(self.0.as_bytes(), &hash).is_ok())
    }
}

/// What somebody says of themselves when they register.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Their e-mail address, which they log in with.
    pub email: Email,
    /// What they are called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// At least ten characters.
    pub password: Password,
}

/// Who somebody says they are.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Their e-mail address.
    pub email: Email,
    /// Their password.
    pub password: Password,
}

/// What may be changed about a user.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What they are called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What they are; their next access token says so.
    #[schema(value_type = Option<Vec<String>>, max_items = 8)]
    pub roles: Option<Vec<Role>>,
    /// The team that they work in; `null` is none. Their next access token says so.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub team: Patch<String>,
    /// Whether they may not log in. Their sessions and keys end with it.
    pub disabled: Option<bool>,
}

/// Another password.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one that they have.
    pub current_password: Password,
    /// The one that they want: at least ten characters.
    pub new_password: Password,
}

/// What carries a session on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The one that came with the last access token. It can be used once.
    #[schema(min_length = 1, max_length = 4096)]
    pub refresh_token: String,
}

/// Which sessions end.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// Whose session ends, if the request has no access token, or an expired one.
    #[schema(min_length = 1, max_length = 4096)]
    pub refresh_token: Option<String>,
    /// Whether all sessions of the user end.
    #[serde(default)]
    pub everywhere: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let password = Password::from("correct horse".to_owned());
        let hash = password.hash().unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password.matches(&hash));
        assert!(!Password::from("battery staple".to_owned()).matches(&hash));
        assert!(!password.matches("nonsense"));
        assert_ne!(password.hash().unwrap(), hash, "each hash has its own salt");
        assert_eq!(format!("{password:?}"), "***");
    }
}
