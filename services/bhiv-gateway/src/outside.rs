//! An outside OpenID Connect issuer whose tokens are accepted: its keys by JWKS URL, its roles by a table.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bhiv_auth::{Caller, Role};
use bhiv_web::{Problem, codes};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::config::OutsideSettings;
use crate::domain::outside::{RoleMap, claimed};

/// Clocks may differ by this much.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// The keys are not asked for more often than this, however many unknown ones are named.
const REASK: Duration = Duration::from_secs(10);

/// They are asked for anew after this time, so that a key that was withdrawn is forgotten.
const FRESH: Duration = Duration::from_mins(5);

const PATIENCE: Duration = Duration::from_secs(3);

/// Keys take less than this, in bytes.
const MOST: usize = 256 * 1024;

/// The issuer. Cloning it shares it.
#[derive(Clone)]
pub struct Outside(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    jwks_url: String,
    roles_claim: String,
    roles: RoleMap,
    team_claim: Option<String>,
    client: Client,
    keys: RwLock<Keys>,
    asking: Mutex<()>,
}

#[derive(Default)]
struct Keys {
    keys: HashMap<String, (DecodingKey, Algorithm)>,
    asked: Option<Instant>,
}

/// What has to be in a token.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    #[serde(flatten)]
    more: Value,
}

impl Outside {
    /// `None` without OIDC_ISSUER.
    ///
    /// # Errors
    /// When a setting is missing or of no use.
    pub fn new(settings: &OutsideSettings) -> Result<Option<Self>, String> {
        let Some(issuer) = settings.oidc_issuer.clone() else { return Ok(None) };
        let missing = |name: &str| format!("{name} is missing: OIDC_ISSUER is set");
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Some(Self(Arc::new(Inner {
            issuer,
            audience: settings.oidc_audience.clone().ok_or_else(|| missing("OIDC_AUDIENCE"))?,
            jwks_url: settings.oidc_jwks_url.clone().ok_or_else(|| missing("OIDC_JWKS_URL"))?,
            roles_claim: settings.oidc_roles_claim.clone(),
            roles: settings.oidc_roles.clone(),
            team_claim: settings.oidc_team_claim.clone(),
            client,
            keys: RwLock::default(),
            asking: Mutex::default(),
        }))))
    }

    /// Whether a token says that it is of this issuer. Nothing is verified.
    pub fn issued(&self, token: &str) -> bool {
        let payload = token.split('.').nth(1).and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
        let claims = payload.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        claims.is_some_and(|claims| claims.get("iss").and_then(Value::as_str) == Some(&self.0.issuer))
    }

    /// The caller whom a token of the issuer names, with the roles that theirs stand for here.
    ///
    /// # Errors
    /// When it is not valid, or the issuer's keys cannot be had.
    pub async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Problem> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| codes::INVALID_TOKEN)?;
        let (key, algorithm) = self.key(&header.kid.ok_or(codes::INVALID_TOKEN)?).await?;
        // The key says how it is used, never the token.
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.0.issuer]);
        validation.set_audience(&[&self.0.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // By the clock given.
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|_| codes::INVALID_TOKEN)?
            .claims;
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(codes::INVALID_TOKEN);
        let expires = time(claims.exp)?;
        if now >= expires + LEEWAY {
            return Err(codes::TOKEN_EXPIRED.into());
        }
        if let Some(begin) = claims.nbf
            && now + LEEWAY < time(begin)?
        {
            return Err(Problem::new(codes::INVALID_TOKEN, "the access token is not valid yet"));
        }
        let is_plain = claims.sub.len() <= 200 && claims.sub.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || claims.sub.is_empty() {
            return Err(Problem::new(
                codes::INVALID_TOKEN,
                "its subject is longer than 200 or not plain ASCII",
            ));
        }
        let roles: Vec<Role> = self.0.roles.of(&claims.more, &self.0.roles_claim);
        let mut caller = Caller::new(format!("oidc/{}", claims.sub), &roles, expires);
        let team = self.0.team_claim.as_ref().and_then(|claim| claimed(&claims.more, claim)?.as_str());
        caller.team = team.filter(|team| !team.is_empty() && team.len() <= 100).map(str::to_owned);
        Ok(caller)
    }

    async fn key(&self, id: &str) -> Result<(DecodingKey, Algorithm), Problem> {
        let (known, age) = self.known(id);
        if age.is_some_and(|age| age < if known.is_some() { FRESH } else { REASK }) {
            return known.ok_or_else(|| codes::INVALID_TOKEN.into());
        }
        let _asking = self.0.asking.lock().await;
        // Somebody else may have asked meanwhile.
        let (known, age) = self.known(id);
        if age.is_some_and(|age| age < REASK) {
            return known.ok_or_else(|| codes::INVALID_TOKEN.into());
        }
        let asked = self.ask().await;
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        let had_keys = keys.asked.is_some();
        match asked {
            Ok(fresh) => *keys = Keys { keys: fresh, asked: Some(Instant::now()) },
            Err(error) => {
                tracing::warn!(error, url = self.0.jwks_url, "the keys of the outside issuer cannot be had");
                if !had_keys {
                    let detail = "the keys of the outside issuer cannot be had";
                    return Err(Problem::new(codes::UNAVAILABLE, detail).retry_after(5));
                }
                // The old ones go on, and it is not asked at every request.
                keys.asked = Some(Instant::now());
            }
        }
        keys.keys.get(id).cloned().ok_or_else(|| codes::INVALID_TOKEN.into())
    }

    fn known(&self, id: &str) -> (Option<(DecodingKey, Algorithm)>, Option<Duration>) {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        (keys.keys.get(id).cloned(), keys.asked.map(|asked| asked.elapsed()))
    }

    async fn ask(&self) -> Result<HashMap<String, (DecodingKey, Algorithm)>, String> {
        let asking = async {
            let mut answer = self.0.client.get(&self.0.jwks_url).send().await?.error_for_status()?;
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                body.extend_from_slice(&chunk);
                if body.len() > MOST {
                    break;
                }
            }
            Ok::<_, reqwest::Error>(body)
        };
        let body = asking.await.map_err(|error| error.to_string())?;
        let set: JwkSet = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let keys: HashMap<_, _> = set.keys.iter().filter_map(usable).collect();
        if keys.is_empty() { Err("no usable key".to_owned()) } else { Ok(keys) }
    }
}

/// Public keys for signatures, each with the algorithm that it is for. A shared secret is never one.
fn usable(jwk: &Jwk) -> Option<(String, (DecodingKey, Algorithm))> {
    let algorithm = match (&jwk.algorithm, jwk.common.key_algorithm) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Algorithm::RS256,
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::RS384)) => Algorithm::RS384,
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::RS512)) => Algorithm::RS512,
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::PS256)) => Algorithm::PS256,
        (AlgorithmParameters::EllipticCurve(curve), _) => match curve.curve {
            EllipticCurve::P256 => Algorithm::ES256,
            EllipticCurve::P384 => Algorithm::ES384,
            _ => return None,
        },
        (AlgorithmParameters::OctetKeyPair(_), None | Some(KeyAlgorithm::EdDSA)) => Algorithm::EdDSA,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, (key, algorithm)))
}
