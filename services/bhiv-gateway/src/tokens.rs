//! Tokens that the gateway issues.

use bhiv_auth::{Caller, KeyError, Refresh, Role, SignError, Signer};
use chrono::{DateTime, TimeDelta, Utc};

use crate::config::TokenSettings;

/// Signs tokens for users, and for the gateway itself when it composes an answer.
#[derive(Debug)]
pub struct Tokens {
    signer: Signer,
    validity: TimeDelta,
}

impl Tokens {
    /// Reads the private key.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(settings: &TokenSettings) -> Result<Self, KeyError> {
        let TokenSettings { signing_key_file, token_issuer, token_audience, .. } = settings;
        Ok(Self {
            signer: Signer::new(signing_key_file, token_issuer, token_audience)?,
            validity: validity(settings),
        })
    }

    /// An access token for `subject`, and how many seconds it is valid.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(
        &self,
        subject: &str,
        roles: &[Role],
        now: DateTime<Utc>,
    ) -> Result<(String, i64), SignError> {
        self.issue_to(Caller::new(subject, roles, DateTime::<Utc>::MAX_UTC), now)
    }

    /// An access token that names `caller`, and how many seconds it is valid: never longer than the caller.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue_to(&self, mut caller: Caller, now: DateTime<Utc>) -> Result<(String, i64), SignError> {
        caller.expires = caller.expires.min(now + self.validity);
        let token = self.signer.access(&caller, now)?;
        Ok((token, (caller.expires - now).num_seconds()))
    }

    /// A refresh token, and how many seconds it is valid.
    ///
    /// # Errors
    /// When signing fails.
    pub fn refresh(&self, refresh: &Refresh, now: DateTime<Utc>) -> Result<(String, i64), SignError> {
        Ok((self.signer.refresh(refresh, now)?, (refresh.expires - now).num_seconds()))
    }
}

/// How long access tokens are valid.
pub fn validity(settings: &TokenSettings) -> TimeDelta {
    TimeDelta::minutes(i64::from(settings.token_minutes))
}
