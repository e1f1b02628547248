use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use crate::keys::read_private;
use crate::{Claims, KeyError, Role};

/// Signs access tokens.
pub struct Signer {
    key: EncodingKey,
    header: Header,
    public: JwkSet,
    issuer: String,
    audience: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer of {}", self.issuer)
    }
}

impl Signer {
    /// Reads the private key.
    ///
    /// # Errors
    /// When it cannot be read or is not Ed25519 in PEM.
    pub fn new(private_pem: &Path, issuer: &str, audience: &str) -> Result<Self, KeyError> {
        let (key, public) = read_private(private_pem)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = public.common.key_id.clone();
        header.typ = Some("at+jwt".to_owned());
        Ok(Self {
            key,
            header,
            public: JwkSet { keys: vec![public] },
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        })
    }

    /// An access token for `subject`, valid from `now` on.
    ///
    /// # Errors
    /// When signing fails.
    pub fn sign(
        &self,
        subject: &str,
        roles: &[Role],
        now: DateTime<Utc>,
        validity: TimeDelta,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: subject.to_owned(),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: now.timestamp(),
            exp: (now + validity).timestamp(),
            roles: roles.to_vec(),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key)
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub fn public(&self) -> &JwkSet {
        &self.public
    }
}
