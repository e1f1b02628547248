//! Access tokens that the gateway issues.

use bhiv_auth::{KeyError, Role, Signer};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

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
        let TokenSettings { signing_key_file, token_issuer, token_audience, token_minutes } = settings;
        Ok(Self {
            signer: Signer::new(signing_key_file, token_issuer, token_audience)?,
            validity: TimeDelta::minutes(i64::from(*token_minutes)),
        })
    }

    /// A token for `subject`, and how many seconds it is valid.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(
        &self,
        subject: &str,
        roles: &[Role],
        now: DateTime<Utc>,
    ) -> Result<(String, i64), bhiv_auth::SignError> {
        let token = self.signer.sign(subject, roles, now, self.validity)?;
        Ok((token, self.validity.num_seconds()))
    }

    /// The public keys.
    pub fn public_keys(&self) -> Value {
        serde_json::to_value(self.signer.public()).unwrap_or_default()
    }
}
