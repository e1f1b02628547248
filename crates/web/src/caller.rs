use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use bhiv_auth::{Caller, Reach, Requires, TokenError, Verifier};
use bhiv_clock::Clock;
use bhiv_outbox::Origin;
use uuid::Uuid;

use crate::describe::{Describe, Operation};
use crate::problem::codes;
use crate::{Problem, RequestMeta};

/// Header in which a client names the causal story that a request belongs to.
pub(crate) const CORRELATION_ID: &str = "x-correlation-id";

/// What a header begins with that presents a token (RFC 6750).
const BEARER: &[u8] = b"bearer ";

/// What callers are verified with.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Verifies tokens.
    pub verifier: Verifier,
    /// Says what time it is.
    pub clock: Clock,
}

impl Authority {
    /// The caller of a request, verified once however often it is asked for.
    ///
    /// # Errors
    /// 401 when there is no token or it is not valid.
    pub fn caller(&self, request: &HttpRequest) -> Result<Arc<Caller>, Problem> {
        if let Some(caller) = request.extensions().get::<Arc<Caller>>() {
            return Ok(Arc::clone(caller));
        }
        let token = bearer(request).ok_or(codes::MISSING_TOKEN)?;
        let caller = self.verifier.verify(token, self.clock.now()).map_err(|error| match error {
            TokenError::Invalid => codes::INVALID_TOKEN,
            TokenError::Expired => codes::TOKEN_EXPIRED,
        })?;
        request.extensions_mut().insert(Arc::clone(&caller));
        Ok(caller)
    }

    /// The caller of a request whose token was verified before; nothing is verified now, nor later.
    pub fn known(&self, request: &HttpRequest) -> Option<Arc<Caller>> {
        let caller = self.verifier.known(bearer(request)?, self.clock.now())?;
        request.extensions_mut().insert(Arc::clone(&caller));
        Some(caller)
    }
}

/// The token that a request presents.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    // Long, and asked for several times: so not letter by letter.
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.as_bytes().split_at_checked(BEARER.len())?;
    let token = scheme.eq_ignore_ascii_case(BEARER).then_some(token)?;
    std::str::from_utf8(token).ok().map(str::trim)
}

/// A caller with the permission `P`. A handler that does not have it in its signature serves everybody, and
/// says so with [`Public`].
#[derive(Debug)]
pub struct Can<P> {
    /// Who it is.
    pub caller: Arc<Caller>,
    origin: Origin,
    permission: PhantomData<P>,
}

impl<P> Can<P> {
    /// Whom a command acts for.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

impl<P: Requires> Can<P> {
    /// Which of the module's records they see.
    pub fn reach(&self) -> Reach {
        self.caller.reach(P::PERMISSION.module)
    }
}

impl<P: Requires> FromRequest for Can<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request))
    }
}

fn admit<P: Requires>(request: &HttpRequest) -> Result<Can<P>, Problem> {
    let caller = caller(request)?;
    if !caller.may(P::PERMISSION) {
        return Err(Problem::denied(P::PERMISSION));
    }
    let origin = origin(request, caller.actor())?;
    Ok(Can { caller, origin, permission: PhantomData })
}

fn caller(request: &HttpRequest) -> Result<Arc<Caller>, Problem> {
    let authority = request.app_data::<web::Data<Authority>>().ok_or(codes::INTERNAL)?;
    authority.caller(request)
}

fn origin(request: &HttpRequest, actor: String) -> Result<Origin, Problem> {
    let correlation = match request.headers().get(CORRELATION_ID) {
        None => None,
        Some(value) => {
            let id = value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
            Some(id.ok_or_else(|| Problem::new(codes::MALFORMED_HEADER, "X-Correlation-Id must be a UUID"))?)
        }
    };
    Ok(Origin {
        actor,
        correlation,
        causation: None,
        request_id: Some(RequestMeta::of(request).id),
        idempotency: request.extensions().get().cloned(),
    })
}

impl<P: Requires> Describe for Can<P> {
    fn describe(operation: &mut Operation) {
        operation.acts();
        operation.requires(P::PERMISSION);
    }
}

/// A caller with a valid token, whatever they may do.
#[derive(Debug)]
pub struct Known {
    /// Who it is.
    pub caller: Arc<Caller>,
    origin: Origin,
}

impl Known {
    /// Whom a command acts for.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

impl FromRequest for Known {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = caller(request).and_then(|caller| {
            let origin = origin(request, caller.actor())?;
            Ok(Self { caller, origin })
        });
        ready(known)
    }
}

impl Describe for Known {
    fn describe(operation: &mut Operation) {
        operation.acts();
        operation.requires_token();
    }
}

/// Everybody, without a token.
#[derive(Debug)]
pub struct Public {
    origin: Origin,
}

impl Public {
    /// Whom a command acts for.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

impl FromRequest for Public {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(origin(request, "anonymous".to_owned()).map(|origin| Self { origin }))
    }
}

impl Describe for Public {
    fn describe(operation: &mut Operation) {
        operation.acts();
    }
}
