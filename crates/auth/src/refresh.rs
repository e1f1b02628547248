use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a refresh token stands for: one link of a chain that begins with a login. Each link is used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The session.
    pub session: String,
    /// Whose it is.
    pub user: String,
    /// Which link; grows by one with each use.
    pub generation: u64,
    /// When the token ends.
    pub expires: DateTime<Utc>,
}

/// What a refresh token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefreshClaims {
    pub(crate) sub: String,
    iss: String,
    aud: String,
    iat: i64,
    pub(crate) exp: i64,
    pub(crate) sid: String,
    #[serde(rename = "gen")]
    pub(crate) generation: u64,
}

impl RefreshClaims {
    pub(crate) fn new(refresh: &Refresh, issuer: &str, now: DateTime<Utc>) -> Self {
        Self {
            sub: refresh.user.clone(),
            iss: issuer.to_owned(),
            aud: audience(issuer),
            iat: now.timestamp(),
            exp: refresh.expires.timestamp(),
            sid: refresh.session.clone(),
            generation: refresh.generation,
        }
    }
}

/// The issuer itself, and in no other role: what verifies access tokens refuses it.
pub(crate) fn audience(issuer: &str) -> String {
    format!("{issuer}/refresh")
}
