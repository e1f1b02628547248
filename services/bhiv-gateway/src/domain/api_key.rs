//! Keys that machines identify themselves with.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bhiv_auth::Permission;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a key begins with: it is recognised by it, also where it should not be.
pub const PREFIX: &str = "bhiv_";

/// Letters of the key that may be shown.
const HINT: usize = PREFIX.len() + 6;

/// A key as a client sends it. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***", self.hint())
    }
}

impl ApiKey {
    /// The key that is made of these random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random)))
    }

    /// The key that a client sent, if it looks like one.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let is_key = BASE64_URL_SAFE_NO_PAD.decode(rest).is_ok_and(|bytes| bytes.len() == 32);
        is_key.then(|| Self(text.to_owned()))
    }

    /// The key itself: for its owner, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its first letters, by which its owner tells it from others.
    pub fn hint(&self) -> &str {
        self.0.get(..HINT).unwrap_or(PREFIX)
    }

    /// What is stored of it.
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.0.as_bytes()).as_ref().to_vec()
    }
}

/// A key that somebody wants.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it may be used for, for example `crm:read`; at most what its owner may do.
    #[schema(min_items = 1, max_items = 21, value_type = Vec<String>)]
    pub scopes: Vec<Scope>,
    /// When it ends; it does not, unless it says otherwise.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A permission in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Scope(pub Permission);

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_and_never_printed() {
        let key = ApiKey::new([7; 32]);
        assert_eq!(ApiKey::read(key.reveal()), Some(key.clone()));
        assert!(!format!("{key:?}").contains(&key.reveal()[HINT..]));
        assert_ne!(key.hash(), ApiKey::new([8; 32]).hash());
        for text in ["", "bhiv_", "bhiv_short", &key.reveal()[1..], &format!("{}=", key.reveal())] {
            assert_eq!(ApiKey::read(text), None, "{text}");
        }
    }
}
