//! The layers that every request goes through, in this order.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpResponse};
use bhiv_auth::Caller;
use bhiv_service::Guarded;
use bhiv_web::{Authority, Problem, codes};
use futures_util::FutureExt as _;

use crate::consent::Consents;
use crate::credentials::Credentials;
use crate::denials::Denials;
use crate::domain::access::{Need, need};
use crate::domain::subprotocol;
use crate::edge::{self, Edge};
use crate::error::SESSION_ENDED;
use crate::limits::{Client, Counted, Counting, Limits};
use crate::sessions::Sessions;

/// 1. Rate limit: who calls too often? A token that was verified before has a quota of its own; everybody else
///    shares that of their address. A read of somebody who is far from their limit goes on meanwhile ([`may_go_on`]).
///    Then [`Edge`] refuses what can be understood in more than one way, and answers preflights of browsers.
/// 2. Authentication: who is it? Keys and tokens of others are exchanged for one of ours.
/// 3. RBAC: may they? What no rule allows is denied.
///    From here on the body has a limit, in bytes and in time.
/// 4. Consent: has the person whom a write is about said no?
/// 5. The owner: a handler of the gateway, or the module that the request is forwarded to. It verifies the
///    token and the permission again, and audits what it accepts in the transaction of the change.
/// 6. Audit: what was refused, whichever layer refused it.
pub fn pipeline(mut request: ServiceRequest, next: Next<BoxBody>) -> Guarded {
    async move {
        bring_token(&mut request);
        let denials = request.app_data::<Data<Denials>>().cloned();
        let edge = request.app_data::<Data<Edge>>().cloned().ok_or(codes::INTERNAL).map_err(Problem::from)?;
        edge.watch_body(&mut request);
        if let Some(credentials) = request.app_data::<Data<Credentials>>().cloned() {
            credentials.recognise(&mut request);
        }
        let (mut counted, mut counting) = (None, count(&request));
        if let Some(first) = counting.take_if(|counting| !may_go_on(&request, counting)) {
            counted = Some(first.end().await);
        }
        let mut answer = match enter(&mut request, counted, &edge).await {
            Ok(None) => next.call(request).await?,
            Ok(Some(preflight)) => request.into_response(preflight),
            Err(problem) => request.error_response(problem),
        };
        if let Some(counting) = counting {
            let last = counting.end().await;
            if let Err(problem) = last.check() {
                answer = answer.error_response(problem);
            }
            counted = Some(last);
        }
        edge.mark(&mut answer);
        if let Some(counted) = counted {
            counted.tell(answer.headers_mut());
        }
        if let Some(denials) = denials.filter(|_| is_refusal(answer.status())) {
            audit(&denials, &answer);
        }
        Ok(answer)
    }
    .boxed_local()
}

/// Before all layers: a browser cannot set `Authorization` for a WebSocket, so the token comes with the subprotocols.
fn bring_token(request: &mut ServiceRequest) {
    if request.path() != "/ws" || request.headers().contains_key(AUTHORIZATION) {
        return;
    }
    let mut offered = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).filter_map(|line| line.to_str().ok());
    let Some(token) = offered.find_map(subprotocol::token) else { return };
    if let Ok(bearer) = HeaderValue::try_from(format!("Bearer {token}")) {
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
}

/// Layer 1. Whoever watches over this process is not counted.
fn count(request: &ServiceRequest) -> Option<Counting> {
    let limits = request.app_data::<Data<Limits>>()?;
    let address = limits.client(request.peer_addr()?.ip(), request.headers());
    request.extensions_mut().insert(Client(address));
    let path = request.path();
    if path == "/metrics" || path.starts_with("/health/") {
        return None;
    }
    let caller =
        request.app_data::<Data<Authority>>().and_then(|authority| authority.known(request.request()));
    limits.count(caller.as_deref(), address, request.method().as_str(), path)
}

/// Whether a request may go on while it is counted: a read changes nothing, and if its caller was far from the limit a
/// moment ago, it is hardly ever in vain. Its answer waits for the verdict, and is not given if that is no.
fn may_go_on(request: &ServiceRequest, counting: &Counting) -> bool {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    is_read && counting.is_at_ease() && !matches!(request.path(), "/events/stream" | "/ws")
}

/// Layers 1 to 4. A preflight is answered before anybody asks who it is from: no token comes with it.
async fn enter(
    request: &mut ServiceRequest,
    counted: Option<Counted>,
    edge: &Edge,
) -> Result<Option<HttpResponse>, Problem> {
    counted.map_or(Ok(()), Counted::check)?;
    edge::check(request)?;
    let preflight = edge.preflight(request);
    if preflight.is_none() {
        admit(request).await?;
        edge::check_length(request)?;
        consent(request).await?;
    }
    Ok(preflight)
}

/// Layers 2 and 3.
async fn admit(request: &mut ServiceRequest) -> Result<(), Problem> {
    match need(request.method().as_str(), request.path()) {
        Need::Nothing => Ok(()),
        Need::Token => authenticate(request).await.map(drop),
        Need::Permission(permission) => {
            let caller = authenticate(request).await?;
            if caller.may(permission) { Ok(()) } else { Err(Problem::denied(permission)) }
        }
        Need::Unknown => Err(Problem::not_found(request.path())),
    }
}

async fn authenticate(request: &mut ServiceRequest) -> Result<Arc<Caller>, Problem> {
    let state = request.app_data::<Data<Credentials>>().zip(request.app_data::<Data<Authority>>());
    let (credentials, authority) = state.ok_or(codes::INTERNAL)?;
    let (credentials, authority) = (credentials.clone(), authority.clone());
    credentials.exchange(request).await?;
    let caller = authority.caller(request.request())?;
    let sessions = request.app_data::<Data<Sessions>>().ok_or(codes::INTERNAL)?;
    match &caller.session {
        Some(session) if sessions.is_ended(session) => Err(SESSION_ENDED.into()),
        _ => Ok(caller),
    }
}

/// Layer 4.
async fn consent(request: &mut ServiceRequest) -> Result<(), Problem> {
    let consents = request.app_data::<Data<Consents>>().ok_or(codes::INTERNAL)?.clone();
    consents.check(request).await
}

fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
}

fn audit(denials: &Denials, answer: &ServiceResponse<BoxBody>) {
    let request = answer.request();
    let caller = request.extensions().get::<Arc<Caller>>().map(|caller| caller.actor());
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>());
    denials.note(request, caller, answer.status(), problem.map(|problem| problem.code().code));
}
