//! What clients identify themselves with beside access tokens of the gateway: keys of machines, and tokens of an
//! outside issuer. Each is exchanged for an access token of the gateway before the request goes on, so that the
//! layers and the modules know one kind of token only.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest};
use bhiv_auth::{Caller, Role};
use bhiv_clock::Clock;
use bhiv_db::Pool;
use bhiv_web::{Problem, codes};
use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;

use crate::domain::api_key::ApiKey;
use crate::outside::Outside;
use crate::store::api_key;
use crate::tokens::Tokens;

/// Header for keys of machines; `Authorization: Bearer` will do as well.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What was exchanged is looked at again after this time.
const TRUST: TimeDelta = TimeDelta::seconds(60);

/// Exchanges that are remembered, at most.
const REMEMBERED: usize = 10_000;

/// Exchanges foreign credentials. Cloning it shares it.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    tokens: Data<Tokens>,
    outside: Option<Outside>,
    pool: Pool,
    clock: Clock,
    exchanged: Cache<String, Exchanged>,
}

#[derive(Clone)]
struct Exchanged {
    header: HeaderValue,
    until: DateTime<Utc>,
}

/// Something that is not a token of the gateway.
enum Foreign {
    Key(ApiKey),
    Token(String),
}

impl Credentials {
    /// Nothing was exchanged yet.
    pub fn new(tokens: Data<Tokens>, outside: Option<Outside>, pool: Pool, clock: Clock) -> Self {
        let exchanged = Cache::new(REMEMBERED);
        Self(Arc::new(Inner { tokens, outside, pool, clock, exchanged }))
    }

    /// Puts the access token in place of what was exchanged for it a moment ago, so that its caller is known.
    pub fn recognise(&self, request: &mut ServiceRequest) {
        let Some(text) = presented(request.request()) else { return };
        if let Some(known) = self.0.exchanged.get(text).filter(|known| self.0.clock.now() < known.until) {
            replace(request, known.header);
        }
    }

    /// Exchanges what the request has instead of an access token.
    ///
    /// # Errors
    /// When it is of no use.
    pub async fn exchange(&self, request: &mut ServiceRequest) -> Result<(), Problem> {
        match self.foreign(request.request()) {
            // In its own place: every request would carry it along.
            Some(foreign) => Box::pin(self.exchange_foreign(request, foreign)).await,
            None => Ok(()),
        }
    }

    async fn exchange_foreign(&self, request: &mut ServiceRequest, foreign: Foreign) -> Result<(), Problem> {
        let now = self.0.clock.now();
        let (text, caller) = match foreign {
            Foreign::Key(key) => (key.reveal().to_owned(), self.machine(&key, now).await?),
            Foreign::Token(token) => {
                let outside = self.0.outside.as_ref().ok_or(codes::INVALID_TOKEN)?;
                let caller = outside.verify(&token, now).await?;
                (token, caller)
            }
        };
        let until = caller.expires.min(now + TRUST);
        let (token, _) = self.0.tokens.issue_to(caller, now).map_err(|error| Problem::internal(&error))?;
        let header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| codes::INTERNAL)?;
        self.0.exchanged.insert(text, Exchanged { header: header.clone(), until });
        replace(request, header);
        Ok(())
    }

    fn foreign(&self, request: &HttpRequest) -> Option<Foreign> {
        let text = presented(request)?;
        if let Some(key) = ApiKey::read(text) {
            return Some(Foreign::Key(key));
        }
        let is_outside = self.0.outside.as_ref().is_some_and(|outside| outside.issued(text));
        is_outside.then(|| Foreign::Token(text.to_owned()))
    }

    /// The machine that a key stands for: it may do what its owner may, within its scopes.
    async fn machine(&self, key: &ApiKey, now: DateTime<Utc>) -> Result<Caller, Problem> {
        let mut conn = self.0.pool.get().await?;
        let bearer = api_key::bearer(&mut conn, &key.hash(), now)
            .await?
            .ok_or_else(|| Problem::new(codes::INVALID_TOKEN, "there is no such key, or it has ended"))?;
        api_key::used(&mut conn, bearer.id, now).await?;
        let roles: Vec<Role> = bearer.roles.iter().filter_map(|role| role.parse().ok()).collect();
        let id = format!("key/{}", bearer.id);
        let mut caller =
            Caller::new(id.clone(), &roles, bearer.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC));
        caller.scope = Some(bearer.scopes.iter().filter_map(|scope| scope.parse().ok()).collect());
        caller.team = bearer.team;
        caller.owner = Some(bearer.user_id.to_string());
        // What ends a session ends the tokens of a key, too.
        caller.session = Some(id);
        Ok(caller)
    }
}

/// What the client identifies itself with.
fn presented(request: &HttpRequest) -> Option<&str> {
    match request.headers().get(&API_KEY) {
        Some(key) => key.to_str().ok(),
        None => bhiv_web::bearer(request),
    }
}

fn replace(request: &mut ServiceRequest, header: HeaderValue) {
    // Whoever was recognised by what is replaced is not who it is.
    request.extensions_mut().remove::<Arc<Caller>>();
    request.headers_mut().remove(&API_KEY);
    request.headers_mut().insert(AUTHORIZATION, header);
}
