use std::net::{IpAddr, Ipv4Addr};

use actix_web::web::{Data, Json};
use actix_web::{HttpMessage as _, HttpRequest};
use bhiv_auth::{Caller, Refresh, Role, TokenError};
use bhiv_service::Context;
use bhiv_web::{Authority, Id, Known, MayAnswer, NoContent, Problem, Public, Result, Valid, codes};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::note_session::NoteSession;
use crate::domain::user::{Logout, RefreshRequest};
use crate::error::{REFRESH_TOKEN_REUSED, SESSION_ENDED};
use crate::limits::Client;
use crate::sessions::{Session, Sessions, Use};
use crate::store::user::{self, User};
use crate::tokens::Tokens;

/// What a caller identifies themselves with from now on.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "named as in RFC 6749")]
pub struct Token {
    /// For the header `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// How long it is valid, in seconds.
    expires_in: i64,
    /// For `POST /auth/refresh`, once. Null when sessions are not available: then log in again when the access token
    /// has ended.
    refresh_token: Option<String>,
    /// How long that one is valid, in seconds.
    refresh_expires_in: Option<i64>,
}

impl Token {
    /// Tokens for `user`, in the session that `refresh` belongs to.
    pub fn issue(
        tokens: &Tokens,
        user: &User,
        refresh: Option<&Refresh>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let failed = |error: bhiv_auth::SignError| Problem::internal(&error);
        let roles: Vec<Role> = user.roles.iter().filter_map(|role| role.parse().ok()).collect();
        let mut caller = Caller::new(user.id, &roles, DateTime::<Utc>::MAX_UTC);
        caller.team.clone_from(&user.team);
        caller.session = refresh.map(|refresh| refresh.session.clone());
        let (access_token, expires_in) = tokens.issue_to(caller, now).map_err(failed)?;
        let refresh = refresh.map(|refresh| tokens.refresh(refresh, now)).transpose().map_err(failed)?;
        let (refresh_token, refresh_expires_in) = refresh.unzip();
        Ok(Self { access_token, token_type: "Bearer", expires_in, refresh_token, refresh_expires_in })
    }
}

/// Where a client is, and what it calls itself.
pub struct Place {
    pub address: IpAddr,
    pub agent: String,
}

impl Place {
    pub fn of(request: &HttpRequest) -> Self {
        let address = request.extensions().get().map(|Client(address)| *address);
        let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok());
        Self {
            address: address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            agent: agent.unwrap_or_default().chars().take(200).collect(),
        }
    }
}

/// The sessions of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The newest first.
    items: Vec<Session>,
}

pub async fn refresh(
    who: Public,
    _: MayAnswer<401>,
    Valid(RefreshRequest { refresh_token }): Valid<RefreshRequest>,
    authority: Data<Authority>,
    gateway: Data<Context>,
    sessions: Data<Sessions>,
    tokens: Data<Tokens>,
) -> Result<Json<Token>> {
    let now = gateway.clock().now();
    let refresh = verify(&authority, &refresh_token, now)?;
    // Before the token is used up: when the database is away, it can be tried again.
    let id = refresh.user.parse::<Uuid>().map_err(|_| codes::INVALID_TOKEN)?;
    let user = user::find(&mut *gateway.read().await?, id).await?.filter(|user| !user.disabled);
    let user = user.ok_or(SESSION_ENDED)?;
    let next = match sessions.carry_on(&refresh).await? {
        Use::Next(generation) => generation,
        Use::Ended => return Err(SESSION_ENDED.into()),
        Use::Reused => {
            let mut origin = who.origin();
            origin.actor = format!("user/{id}");
            origin.idempotency = None;
            let entity = format!("session/{}", refresh.session);
            gateway.run(origin, NoteSession { action: "session.reuse", entity }).await?;
            return Err(REFRESH_TOKEN_REUSED.into());
        }
    };
    let next = sessions.link(&refresh.session, &refresh.user, next, now);
    Ok(Json(Token::issue(&tokens, &user, Some(&next), now)?))
}

pub async fn logout(
    who: Public,
    _: MayAnswer<401>,
    Valid(Logout { refresh_token, everywhere }): Valid<Logout>,
    request: HttpRequest,
    authority: Data<Authority>,
    gateway: Data<Context>,
    sessions: Data<Sessions>,
) -> Result<NoContent> {
    let (user, session) = if let Some(token) = refresh_token {
        let refresh = verify(&authority, &token, gateway.clock().now())?;
        (refresh.user, Some(refresh.session))
    } else {
        let caller = authority.caller(&request)?;
        (caller.id.clone(), caller.session.clone())
    };
    let mut origin = who.origin();
    origin.actor = format!("user/{user}");
    let mut ending: Vec<_> = session.into_iter().collect();
    if everywhere {
        ending.extend(sessions.of(&user).await?.into_iter().map(|session| session.id));
    }
    sessions.end(&user, &ending).await?;
    let entity = if everywhere { format!("user/{user}") } else { format!("session/{}", ending.join("")) };
    gateway.run(origin, NoteSession { action: "session.end", entity }).await?;
    Ok(NoContent)
}

pub async fn list(who: Known, sessions: Data<Sessions>) -> Result<Json<SessionList>> {
    Ok(Json(SessionList { items: sessions.of(&who.caller.id).await? }))
}

pub async fn end(
    who: Known,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
    sessions: Data<Sessions>,
) -> Result<NoContent> {
    let id = id.to_string();
    if !sessions.of(&who.caller.id).await?.iter().any(|session| session.id == id) {
        return Err(Problem::not_found(format!("session/{id}")));
    }
    sessions.end(&who.caller.id, std::slice::from_ref(&id)).await?;
    let entity = format!("session/{id}");
    gateway.run(who.origin(), NoteSession { action: "session.end", entity }).await?;
    Ok(NoContent)
}

fn verify(authority: &Authority, token: &str, now: DateTime<Utc>) -> Result<Refresh> {
    authority.verifier.refresh(token, now).map_err(|error| match error {
        TokenError::Invalid => Problem::new(codes::INVALID_TOKEN, "the refresh token is not valid"),
        TokenError::Expired => Problem::new(codes::TOKEN_EXPIRED, "the refresh token has expired"),
    })
}
