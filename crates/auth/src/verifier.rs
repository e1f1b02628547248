use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bhiv_settings::Auth;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;

use crate::{Caller, Claims, KeyError};

/// Clocks of the issuer and of this machine may differ by this much.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// The file is not read more often than this for keys that it does not have.
const REREAD: Duration = Duration::from_secs(1);

/// A token is verified again after this time: a cached one must not outlive its key for long.
const TRUST: TimeDelta = TimeDelta::seconds(60);

/// Tokens that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a token, or its signature, issuer, audience or key is wrong. Which, is not told.
    #[error("the access token is not valid")]
    Invalid,
    /// It was valid once.
    #[error("the access token has expired")]
    Expired,
}

/// Verifies access tokens with the public keys of a JWKS file.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    file: PathBuf,
    keys: RwLock<KeySet>,
    issuer: String,
    audience: String,
    /// Verifying a signature takes longer than everything else about a small request.
    verified: Cache<String, Verified>,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    at: DateTime<Utc>,
}

struct KeySet {
    keys: HashMap<String, (DecodingKey, Algorithm)>,
    read: Instant,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verifier of {} with {}", self.0.issuer, self.0.file.display())
    }
}

impl Verifier {
    /// Reads the public keys.
    ///
    /// # Errors
    /// When the file cannot be read or holds no EdDSA or ES256 key.
    pub fn new(settings: &Auth) -> Result<Self, KeyError> {
        let keys = KeySet::read(&settings.auth_jwks_file)?;
        Ok(Self(Arc::new(Inner {
            file: settings.auth_jwks_file.clone(),
            keys: RwLock::new(keys),
            issuer: settings.auth_issuer.clone(),
            audience: settings.auth_audience.clone(),
            verified: Cache::new(REMEMBERED),
        })))
    }

    /// The caller whom `token` names.
    ///
    /// The algorithm comes from the key and never from the token; issuer, audience and expiry are required.
    ///
    /// # Errors
    /// When the token is not valid at `now`.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        if let Some(Verified { caller, at }) = self.0.verified.get(token)
            && (at..at + TRUST).contains(&now)
        {
            return if now < caller.expires + LEEWAY { Ok(caller) } else { Err(TokenError::Expired) };
        }
        let caller = self.check(token, now)?;
        self.0.verified.insert(token.to_owned(), Verified { caller: caller.clone(), at: now });
        Ok(caller)
    }

    /// The caller whom `token` names, if it was verified a moment ago and is still valid.
    pub fn known(&self, token: &str, now: DateTime<Utc>) -> Option<Caller> {
        let Verified { caller, at } = self.0.verified.get(token)?;
        ((at..at + TRUST).contains(&now) && now < caller.expires + LEEWAY).then_some(caller)
    }

    fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let (key, algorithm) = self.0.key(&header.kid.ok_or(TokenError::Invalid)?)?;
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&[&self.0.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // Below, by the clock given.
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        let expires = DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?;
        if now >= expires + LEEWAY {
            return Err(TokenError::Expired);
        }
        Ok(Caller { id: claims.sub, roles: claims.roles, expires })
    }
}

impl Inner {
    fn key(&self, id: &str) -> Result<(DecodingKey, Algorithm), TokenError> {
        let (known, read) = {
            let set = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            (set.keys.get(id).cloned(), set.read)
        };
        if let Some(known) = known {
            return Ok(known);
        }
        if read.elapsed() < REREAD {
            return Err(TokenError::Invalid);
        }
        // A key that was added after we started.
        let mut set = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if set.read.elapsed() >= REREAD {
            match KeySet::read(&self.file) {
                Ok(fresh) => *set = fresh,
                Err(error) => {
                    tracing::warn!(%error, "the public keys cannot be read again; the old ones stay");
                    set.read = Instant::now();
                }
            }
        }
        set.keys.get(id).cloned().ok_or(TokenError::Invalid)
    }
}

impl KeySet {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read(path).map_err(|error| KeyError::file(path, error))?;
        let set: JwkSet = serde_json::from_slice(&text).map_err(|error| KeyError::malformed(path, error))?;
        let keys: HashMap<_, _> = set.keys.iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err(KeyError::malformed(path, "no EdDSA or ES256 key with a kid"));
        }
        Ok(Self { keys, read: Instant::now() })
    }
}

fn usable(jwk: &Jwk) -> Option<(String, (DecodingKey, Algorithm))> {
    let algorithm = match jwk.common.key_algorithm? {
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, (key, algorithm)))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};

    use super::*;
    use crate::{Keys, Role, Signer};

    struct Setup {
        folder: tempfile::TempDir,
        verifier: Verifier,
        signer: Signer,
    }

    fn setup() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let (pem, jwks) = (folder.path().join("key.pem"), folder.path().join("jwks.json"));
        Keys::generate(&pem, &jwks).unwrap();
        let verifier = Verifier::new(&Auth {
            auth_jwks_file: jwks,
            auth_issuer: "issuer".to_owned(),
            auth_audience: "audience".to_owned(),
        })
        .unwrap();
        let signer = Signer::new(&pem, "issuer", "audience").unwrap();
        Setup { folder, verifier, signer }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_signed_token_names_its_caller_until_it_expires() {
        let Setup { verifier, signer, .. } = setup();
        let token = signer.sign("ravi", &[Role::Sales], now(), TimeDelta::minutes(5)).unwrap();
        let caller = verifier.verify(&token, now()).unwrap();
        assert_eq!((caller.id.as_str(), caller.roles.as_slice()), ("ravi", &[Role::Sales][..]));
        assert_eq!(verifier.verify(&token, now() + TimeDelta::minutes(6)), Err(TokenError::Expired));
    }

    #[test]
    fn foreign_and_tampered_tokens_are_refused() {
        let Setup { folder, verifier, signer } = setup();
        let hour = TimeDelta::hours(1);
        let good = signer.sign("ravi", &[Role::Viewer], now(), hour).unwrap();
        let pem = folder.path().join("key.pem");
        let wrong_issuer = Signer::new(&pem, "other", "audience").unwrap();
        let wrong_audience = Signer::new(&pem, "issuer", "other").unwrap();
        let foreign_key = setup().signer;
        let (head, tail) = good.split_at(good.len() - 4);

        for (why, token) in [
            ("issuer", wrong_issuer.sign("ravi", &[Role::Admin], now(), hour).unwrap()),
            ("audience", wrong_audience.sign("ravi", &[Role::Admin], now(), hour).unwrap()),
            ("key", foreign_key.sign("ravi", &[Role::Admin], now(), hour).unwrap()),
            ("signature", format!("{head}{}", tail.chars().rev().collect::<String>())),
            ("no signature", good.rsplit_once('.').unwrap().0.to_owned() + "."),
            ("not a token", "Bearer".to_owned()),
        ] {
            assert_eq!(verifier.verify(&token, now()), Err(TokenError::Invalid), "{why}");
        }
    }

    #[test]
    fn the_public_key_is_no_shared_secret() {
        let Setup { verifier, signer, .. } = setup();
        let public = &signer.public().keys[0];
        let mut header = Header::new(Algorithm::HS256);
        header.kid = public.common.key_id.clone();
        let secret = serde_json::to_vec(public).unwrap();
        let claims = serde_json::json!({
            "sub": "ravi", "iss": "issuer", "aud": "audience", "iat": 0, "exp": 1_900_000_000, "roles": ["admin"],
        });
        let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(verifier.verify(&forged, now()), Err(TokenError::Invalid));
    }

    #[test]
    fn a_private_key_is_never_overwritten() {
        let Setup { folder, .. } = setup();
        let again = Keys::generate(&folder.path().join("key.pem"), &folder.path().join("jwks.json"));
        assert!(matches!(again, Err(KeyError::File { .. })));
    }
}
