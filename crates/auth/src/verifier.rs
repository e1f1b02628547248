use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bhiv_settings::Auth;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;
use serde::de::DeserializeOwned;

use crate::key_set::KeySet;
use crate::refresh::{self, Refresh, RefreshClaims};
use crate::signer::{ACCESS, REFRESH};
use crate::{Caller, Claims, KeyError};

/// Clocks of the issuer and of this machine may differ by this much.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// A key that was taken out of the file is not trusted for longer than this (and [`TRUST`]).
const RELOOK: Duration = Duration::from_secs(5);

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
    caller: Arc<Caller>,
    at: DateTime<Utc>,
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
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Caller>, TokenError> {
        self.0.look_again(false);
        if let Some(Verified { caller, at }) = self.0.verified.get(token)
            && (at..at + TRUST).contains(&now)
        {
            return if now < caller.expires + LEEWAY { Ok(caller) } else { Err(TokenError::Expired) };
        }
        let caller = Arc::new(self.check(token, now)?);
        self.0.verified.insert(token.to_owned(), Verified { caller: Arc::clone(&caller), at: now });
        Ok(caller)
    }

    /// The caller whom `token` names, if it was verified a moment ago and is still valid.
    pub fn known(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<Caller>> {
        self.0.look_again(false);
        let Verified { caller, at } = self.0.verified.get(token)?;
        ((at..at + TRUST).contains(&now) && now < caller.expires + LEEWAY).then_some(caller)
    }

    /// What the refresh token stands for. Whether it was used before, only its session knows.
    ///
    /// # Errors
    /// When the token is not valid at `now`.
    pub fn refresh(&self, token: &str, now: DateTime<Utc>) -> Result<Refresh, TokenError> {
        let claims: RefreshClaims = self.decode(token, REFRESH, &refresh::audience(&self.0.issuer))?;
        let expires = still_valid(claims.exp, now)?;
        Ok(Refresh { session: claims.sid, user: claims.sub, generation: claims.generation, expires })
    }

    /// The public keys, as `/.well-known/jwks.json` shows them: the one that signs first.
    pub fn keys(&self) -> JwkSet {
        self.0.look_again(true);
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).published.clone()
    }

    fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let claims: Claims = self.decode(token, ACCESS, &self.0.audience)?;
        let expires = still_valid(claims.exp, now)?;
        let scope = claims.scope.as_deref().map(|scope| scope.split_whitespace().map(str::parse).collect());
        let scope = scope.transpose().map_err(|_| TokenError::Invalid)?;
        Ok(Caller {
            id: claims.sub,
            roles: claims.roles,
            expires,
            scope,
            session: claims.sid,
            team: claims.team,
            owner: claims.owner,
        })
    }

    fn decode<C: DeserializeOwned>(&self, token: &str, kind: &str, audience: &str) -> Result<C, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        // One kind of token is never taken for the other.
        if header.typ.as_deref() != Some(kind) {
            return Err(TokenError::Invalid);
        }
        let (key, algorithm) = self.0.key(&header.kid.ok_or(TokenError::Invalid)?)?;
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // By the clock given.
        let data = jsonwebtoken::decode::<C>(token, &key, &validation).map_err(|_| TokenError::Invalid)?;
        Ok(data.claims)
    }
}

fn still_valid(expires: i64, now: DateTime<Utc>) -> Result<DateTime<Utc>, TokenError> {
    let expires = DateTime::from_timestamp(expires, 0).ok_or(TokenError::Invalid)?;
    if now < expires + LEEWAY { Ok(expires) } else { Err(TokenError::Expired) }
}

impl Inner {
    fn key(&self, id: &str) -> Result<(DecodingKey, Algorithm), TokenError> {
        self.look_again(false);
        if let Some(known) = self.known(id) {
            return Ok(known);
        }
        // A key that was added a moment ago.
        self.look_again(true);
        self.known(id).ok_or(TokenError::Invalid)
    }

    fn known(&self, id: &str) -> Option<(DecodingKey, Algorithm)> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).keys.get(id).cloned()
    }

    /// Reads the file again if it has changed, once in a while or `at_once`.
    fn look_again(&self, at_once: bool) {
        let set = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        if (!at_once && set.looked.elapsed() < RELOOK) || set.stamp.is_current(&self.file) {
            let is_due = set.looked.elapsed() >= RELOOK;
            drop(set);
            if is_due {
                self.keys.write().unwrap_or_else(PoisonError::into_inner).looked = Instant::now();
            }
            return;
        }
        drop(set);
        let mut set = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !set.stamp.is_current(&self.file) {
            match KeySet::read(&self.file) {
                Ok(fresh) => {
                    *set = fresh;
                    // Whoever was known by a key that is gone is asked again.
                    self.verified.clear();
                }
                Err(error) => {
                    tracing::warn!(%error, "the public keys cannot be read again; the old ones stay");
                }
            }
        }
        set.looked = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};

    use super::*;
    use crate::{Keys, Role, Signer};

    struct Setup {
        keys: Keys,
        folder: tempfile::TempDir,
        verifier: Verifier,
        signer: Signer,
    }

    fn setup() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let (pem, jwks) = (folder.path().join("key.pem"), folder.path().join("jwks.json"));
        let keys = Keys::new(&pem, &jwks);
        keys.ensure().unwrap();
        let verifier = Verifier::new(&Auth {
            auth_jwks_file: jwks,
            auth_issuer: "issuer".to_owned(),
            auth_audience: "audience".to_owned(),
        })
        .unwrap();
        let signer = Signer::new(&pem, "issuer", "audience").unwrap();
        Setup { keys, folder, verifier, signer }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_signed_token_names_its_caller_until_it_expires() {
        let Setup { verifier, signer, folder: _folder, .. } = setup();
        let token = signer.sign("ravi", &[Role::Sales], now(), TimeDelta::minutes(5)).unwrap();
        let caller = verifier.verify(&token, now()).unwrap();
        assert_eq!((caller.id.as_str(), caller.roles.as_slice()), ("ravi", &[Role::Sales][..]));
        assert_eq!(verifier.verify(&token, now() + TimeDelta::minutes(6)), Err(TokenError::Expired));
    }

    #[test]
    fn foreign_and_tampered_tokens_are_refused() {
        let Setup { folder, verifier, signer, .. } = setup();
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
        let Setup { verifier, .. } = setup();
        let public = &verifier.keys().keys[0];
        let mut header = Header::new(Algorithm::HS256);
        header.kid = public.common.key_id.clone();
        header.typ = Some(ACCESS.to_owned());
        let secret = serde_json::to_vec(public).unwrap();
        let claims = serde_json::json!({
            "sub": "ravi", "iss": "issuer", "aud": "audience", "iat": 0, "exp": 1_900_000_000, "roles": ["admin"],
        });
        let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(verifier.verify(&forged, now()), Err(TokenError::Invalid));
    }

    #[test]
    fn a_rotated_key_signs_at_once_and_the_one_before_stays_valid_until_the_next() {
        let Setup { keys, verifier, signer, folder: _folder } = setup();
        let token = || signer.sign("ravi", &[Role::Sales], now(), TimeDelta::minutes(5)).unwrap();
        let first = token();
        keys.rotate().unwrap();
        let second = token();
        let id = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        assert_ne!(id(&first), id(&second));
        assert_eq!(keys.ids().unwrap(), [id(&second), id(&first)]);
        assert_eq!(verifier.keys().keys.len(), 2);
        for token in [&first, &second] {
            assert!(verifier.verify(token, now()).is_ok());
        }
        keys.rotate().unwrap();
        let third = token();
        assert!(verifier.verify(&third, now()).is_ok());
        assert!(verifier.verify(&second, now()).is_ok());
        assert_eq!(verifier.verify(&first, now()), Err(TokenError::Invalid), "its key is gone");
    }

    #[test]
    fn a_staged_key_is_known_before_it_signs() {
        let Setup { keys, verifier, signer, folder: _folder } = setup();
        keys.stage().unwrap();
        keys.stage().unwrap();
        let staged = keys.ids().unwrap();
        assert_eq!(staged.len(), 2);
        let token = signer.sign("ravi", &[], now(), TimeDelta::minutes(5)).unwrap();
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.as_ref(), staged.first());
        keys.rotate().unwrap();
        let token = signer.sign("ravi", &[], now(), TimeDelta::minutes(5)).unwrap();
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.as_ref(), staged.get(1));
        assert!(verifier.verify(&token, now()).is_ok());
        keys.ensure().unwrap();
        assert_eq!(keys.ids().unwrap().len(), 2, "both stay live");
    }

    #[test]
    fn one_kind_of_token_is_never_taken_for_the_other() {
        let Setup { folder, verifier, signer, .. } = setup();
        let refresh = Refresh {
            session: "s".to_owned(),
            user: "ravi".to_owned(),
            generation: 3,
            expires: now() + TimeDelta::days(30),
        };
        let token = signer.refresh(&refresh, now()).unwrap();
        assert_eq!(verifier.refresh(&token, now()), Ok(refresh));
        assert_eq!(verifier.refresh(&token, now() + TimeDelta::days(31)), Err(TokenError::Expired));
        assert_eq!(verifier.verify(&token, now()), Err(TokenError::Invalid));
        let access = signer.sign("ravi", &[Role::Admin], now(), TimeDelta::hours(1)).unwrap();
        assert_eq!(verifier.refresh(&access, now()), Err(TokenError::Invalid));
        // Nor with the audience of the other one.
        let other = Signer::new(&folder.path().join("key.pem"), "issuer", "issuer/refresh").unwrap();
        let disguised = other.sign("ravi", &[Role::Admin], now(), TimeDelta::hours(1)).unwrap();
        assert_eq!(verifier.refresh(&disguised, now()), Err(TokenError::Invalid));
    }

    #[test]
    fn a_token_keeps_its_scope_and_its_session() {
        let Setup { verifier, signer, folder: _folder, .. } = setup();
        let mut caller = Caller::new("key/7", &[Role::Service], now() + TimeDelta::hours(1));
        caller.scope = Some(vec!["crm:read".parse().unwrap(), "rl:write".parse().unwrap()]);
        caller.session = Some("s".to_owned());
        let token = signer.access(&caller, now()).unwrap();
        assert_eq!(verifier.verify(&token, now()), Ok(Arc::new(caller)));
    }
}
