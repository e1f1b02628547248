use std::sync::OnceLock;

use actix_web::web::{Data, Json};
use bhiv_auth::Role;
use bhiv_service::Context;
use bhiv_web::{Created, FreeForm, Known, MayAnswer, Problem, Public, Result, Valid};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::register_user::RegisterUser;
use crate::domain::user::{Credentials, Password, Registration};
use crate::error::WRONG_CREDENTIALS;
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
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Their id.
    id: String,
    /// What they are.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// When their token ends.
    token_expires: chrono::DateTime<chrono::Utc>,
}

pub async fn keys(_: Public, tokens: Data<Tokens>) -> Result<Json<FreeForm>> {
    Ok(Json(FreeForm(tokens.public_keys())))
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
    _: Public,
    _: MayAnswer<401>,
    Valid(Credentials { email, password }): Valid<Credentials>,
    gateway: Data<Context>,
    tokens: Data<Tokens>,
) -> Result<Json<Token>> {
    let user = user::with_email(&mut *gateway.read().await?, &email).await?;
    // An unknown address takes as long as a wrong password: the answer tells nobody who is registered.
    let hash = user.as_ref().map_or_else(nobodys_hash, |user| user.password_hash.clone());
    let is_right = slowly(move || password.matches(&hash)).await?;
    let user = user.filter(|_| is_right).ok_or(WRONG_CREDENTIALS)?;
    let roles: Vec<Role> = user.roles.iter().filter_map(|role| role.parse().ok()).collect();
    let (access_token, expires_in) = tokens
        .issue(&user.id.to_string(), &roles, gateway.clock().now())
        .map_err(|error| Problem::internal(&error))?;
    Ok(Json(Token { access_token, token_type: "Bearer", expires_in }))
}

pub async fn me(who: Known) -> Result<Json<Me>> {
    let caller = who.caller;
    Ok(Json(Me { id: caller.id.clone(), roles: caller.roles.clone(), token_expires: caller.expires }))
}

/// Password hashing takes tens of milliseconds of CPU: not on the thread that answers requests.
async fn slowly<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    actix_web::web::block(work).await.map_err(|error| Problem::internal(&error))
}

fn nobodys_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| Password::from("nobody".to_owned()).hash().unwrap_or_default()).clone()
}
