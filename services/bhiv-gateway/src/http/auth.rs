use std::sync::OnceLock;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use bhiv_auth::{Access, Caller, Module, Permission, Role};
use bhiv_service::Context;
use bhiv_web::{Authority, Created, FreeForm, Known, MayAnswer, NoContent, Problem, Public, Result, Valid};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::sessions::{Place, Token};
use crate::commands::change_password::ChangePassword;
use crate::commands::note_session::NoteSession;
use crate::commands::register_user::RegisterUser;
use crate::domain::user::{Credentials, Password, PasswordChange, Registration};
use crate::error::{NOT_A_USER, WRONG_CREDENTIALS};
use crate::logins::Logins;
use crate::sessions::{Away, Sessions};
use crate::store::user::{self, User};
use crate::tokens::Tokens;

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Their id.
    id: String,
    /// What they are.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// What they may do, for example `crm:write`. Each includes those below it.
    permissions: Vec<String>,
    /// The team that they work in.
    team: Option<String>,
    /// The user whose records are theirs, if they are a machine of that user.
    owner: Option<String>,
    /// The session that their token belongs to.
    session: Option<String>,
    /// When their token ends.
    token_expires: chrono::DateTime<chrono::Utc>,
}

pub async fn keys(_: Public, authority: Data<Authority>) -> Result<Json<FreeForm>> {
    let keys = serde_json::to_value(authority.verifier.keys()).unwrap_or(Value::Null);
    Ok(Json(FreeForm(keys)))
}

pub async fn register(
    who: Public,
    Valid(new): Valid<Registration>,
    gateway: Data<Context>,
) -> Result<Created<User>> {
    let Registration { email, name, password } = new;
    let password_hash = slowly(move || password.hash()).await?.map_err(|error| Problem::internal(&error))?;
    let command = RegisterUser { email, name, password_hash, roles: vec![Role::Viewer] };
    let user = gateway.run(who.origin(), command).await?;
    Ok(Created::at(format!("/auth/users/{}", user.id), user))
}

pub async fn login(
    (who, _): (Public, MayAnswer<401>),
    Valid(Credentials { email, password }): Valid<Credentials>,
    request: HttpRequest,
    gateway: Data<Context>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
    tokens: Data<Tokens>,
) -> Result<Json<Token>> {
    let now = gateway.clock().now();
    let place = Place::of(&request);
    logins.attempt(&email, place.address, now).await?;
    let user = user::with_email(&mut *gateway.read().await?, &email).await?;
    // An unknown address takes as long as a wrong password: the answer tells nobody who is registered.
    let hash = user.as_ref().map_or_else(nobodys_hash, |user| user.password_hash.clone());
    let is_right = slowly(move || password.matches(&hash)).await?;
    let user = user.filter(|user| is_right && !user.disabled).ok_or(WRONG_CREDENTIALS)?;
    logins.succeeded(&email, place.address).await;

    let (id, session) = (user.id.to_string(), gateway.clock().id().to_string());
    let mut origin = who.origin();
    origin.actor = format!("user/{id}");
    // A login has no second effect to avoid, and its tokens are not kept to be told again.
    origin.idempotency = None;
    let begun = NoteSession { action: "session.begin", entity: format!("session/{session}") };
    gateway.run(origin, begun).await?;
    // Without Redis there is an access token, and nothing to carry it on.
    let refresh = sessions.begin(&session, &id, &place.address.to_string(), &place.agent).await.ok();
    Ok(Json(Token::issue(&tokens, &user, refresh.as_ref(), now)?))
}

pub async fn me(who: Known) -> Result<Json<Me>> {
    let caller = who.caller;
    Ok(Json(Me {
        id: caller.id.clone(),
        roles: caller.roles.clone(),
        permissions: permissions(&caller),
        team: caller.team.clone(),
        owner: caller.owner.clone(),
        session: caller.session.clone(),
        token_expires: caller.expires,
    }))
}

pub async fn change_password(
    who: Known,
    Valid(change): Valid<PasswordChange>,
    request: HttpRequest,
    gateway: Data<Context>,
    logins: Data<Logins>,
    sessions: Data<Sessions>,
) -> Result<NoContent> {
    let id = user_id(&who.caller)?;
    let user = user::find(&mut *gateway.read().await?, id).await?.ok_or(NOT_A_USER)?;
    let PasswordChange { current_password, new_password } = change;
    let place = Place::of(&request);
    // Whoever found a session open does not get to guess without end either.
    logins.attempt(&user.email, place.address, gateway.clock().now()).await?;
    let hash = user.password_hash.clone();
    if !slowly(move || current_password.matches(&hash)).await? {
        return Err(Problem::from(WRONG_CREDENTIALS).at("/current_password", "is wrong"));
    }
    logins.succeeded(&user.email, place.address).await;
    let password_hash =
        slowly(move || new_password.hash()).await?.map_err(|error| Problem::internal(&error))?;
    // Before: without Redis the password stays what it is. Again afterwards: for whoever logged in with the old one
    // meanwhile.
    end_others(&who.caller, &sessions).await?;
    gateway.run(who.origin(), ChangePassword { id, password_hash }).await?;
    if end_others(&who.caller, &sessions).await.is_err() {
        tracing::warn!(user = %id, "sessions that began while the password was changed may go on");
    }
    Ok(NoContent)
}

/// Every session of the caller's ends but the one that they are in.
async fn end_others(caller: &Caller, sessions: &Sessions) -> std::result::Result<(), Away> {
    let others = sessions.of(&caller.id).await?.into_iter().map(|session| session.id);
    let others: Vec<_> = others.filter(|other| caller.session.as_ref() != Some(other)).collect();
    sessions.end(&caller.id, &others).await
}

/// The user whom the caller is: machines and callers of an outside issuer are none.
pub fn user_id(caller: &Caller) -> Result<uuid::Uuid> {
    caller.id.parse().map_err(|_| Problem::new(NOT_A_USER, format!("{} is no user", caller.actor())))
}

/// The highest that the caller may do in each module.
fn permissions(caller: &Caller) -> Vec<String> {
    let highest = |module| {
        let permissions = Access::ALL.into_iter().rev().map(|access| Permission { module, access });
        permissions.into_iter().find(|permission| caller.may(*permission))
    };
    Module::ALL.into_iter().filter_map(highest).map(|permission| permission.to_string()).collect()
}

/// Password hashing takes tens of milliseconds of CPU: not on the thread that answers requests.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    actix_web::web::block(work).await.map_err(|error| Problem::internal(&error))
}

fn nobodys_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| Password::from("nobody".to_owned()).hash().unwrap_or_default()).clone()
}
