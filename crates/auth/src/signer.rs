use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use crate::file::Stamp;
use crate::keys::read_private;
use crate::refresh::{Refresh, RefreshClaims};
use crate::{Caller, Claims, KeyError, Role};

/// What the header of an access token says it is (RFC 9068).
pub(crate) const ACCESS: &str = "at+jwt";

/// What the header of a refresh token says it is.
pub(crate) const REFRESH: &str = "rt+jwt";

/// Signs tokens with a private key from a file, and with the one that takes its place.
pub struct Signer {
    file: PathBuf,
    key: RwLock<Arc<Key>>,
    issuer: String,
    audience: String,
}

struct Key {
    private: EncodingKey,
    id: Option<String>,
    stamp: Stamp,
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
        Ok(Self {
            file: private_pem.to_owned(),
            key: RwLock::new(Arc::new(Key::read(private_pem)?)),
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
        self.access(&Caller::new(subject, roles, now + validity), now)
    }

    /// An access token that names `caller`, valid from `now` until the caller `expires`.
    ///
    /// # Errors
    /// When signing fails.
    pub fn access(&self, caller: &Caller, now: DateTime<Utc>) -> Result<String, jsonwebtoken::errors::Error> {
        let scope = caller.scope.as_ref().map(|scope| {
            let names: Vec<_> = scope.iter().map(ToString::to_string).collect();
            names.join(" ")
        });
        let claims = Claims {
            sub: caller.id.clone(),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            iat: now.timestamp(),
            exp: caller.expires.timestamp(),
            roles: caller.roles.clone(),
            scope,
            sid: caller.session.clone(),
            team: caller.team.clone(),
            owner: caller.owner.clone(),
        };
        self.token(ACCESS, &claims)
    }

    /// A refresh token. It is of no use as an access token, nor the reverse.
    ///
    /// # Errors
    /// When signing fails.
    pub fn refresh(
        &self,
        refresh: &Refresh,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        self.token(REFRESH, &RefreshClaims::new(refresh, &self.issuer, now))
    }

    fn token(&self, kind: &str, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let key = self.key();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = key.id.clone();
        header.typ = Some(kind.to_owned());
        jsonwebtoken::encode(&header, claims, &key.private)
    }

    /// The key in the file, also after a rotation.
    fn key(&self) -> Arc<Key> {
        let known = Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner));
        if known.stamp.is_current(&self.file) {
            return known;
        }
        match Key::read(&self.file) {
            Ok(fresh) => {
                tracing::info!(kid = fresh.id, "tokens are signed with another key");
                let fresh = Arc::new(fresh);
                *self.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
                fresh
            }
            Err(error) => {
                tracing::warn!(%error, "the private key cannot be read again; the old one goes on signing");
                known
            }
        }
    }
}

impl Key {
    fn read(file: &Path) -> Result<Self, KeyError> {
        // Before: what is written meanwhile is read again.
        let stamp = Stamp::of(file);
        let (private, public) = read_private(file)?;
        Ok(Self { private, id: public.common.key_id, stamp })
    }
}
