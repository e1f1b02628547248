use actix_web::web::{Data, Json};
use bhiv_auth::require::GatewayAdmin;
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::patch_user::PatchUser;
use crate::domain::user::UserChange;
use crate::sessions::Sessions;
use crate::store::api_key;
use crate::store::user::{self, User};

/// How many users.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<GatewayAdmin>,
    ValidQuery(ListUsers { limit, cursor }): ValidQuery<ListUsers>,
    gateway: Data<Context>,
) -> Result<Json<Page<User>>> {
    let mut conn = gateway.read().await?;
    let users = user::list(&mut conn, Cursor::id(cursor), limit.and_one()).await?;
    let total = user::count(&mut conn).await?;
    Ok(Json(Page::new(users, limit, total, |user| user.id)))
}

pub async fn read(_: Can<GatewayAdmin>, Id(id): Id<Uuid>, gateway: Data<Context>) -> Result<Json<User>> {
    let user = user::find(&mut *gateway.read().await?, id).await?;
    user.map(Json).ok_or_else(|| Problem::not_found(format!("user/{id}")))
}

pub async fn patch(
    who: Can<GatewayAdmin>,
    Id(id): Id<Uuid>,
    Valid(change): Valid<UserChange>,
    gateway: Data<Context>,
    sessions: Data<Sessions>,
) -> Result<Json<User>> {
    let user = gateway.run(who.origin(), PatchUser { id, change }).await?;
    if user.disabled {
        end_everything(id, &gateway, &sessions).await?;
    }
    Ok(Json(user))
}

/// Sessions and keys of a user end. Without Redis, what they have ends with their access tokens, and nothing new begins.
async fn end_everything(id: Uuid, gateway: &Context, sessions: &Sessions) -> Result<()> {
    let user = id.to_string();
    let keys = api_key::of_user(&mut *gateway.read().await?, id).await?;
    let mut ending: Vec<_> = keys.iter().map(|key| format!("key/{key}")).collect();
    let of_user = sessions.of(&user).await.unwrap_or_default();
    ending.extend(of_user.into_iter().map(|session| session.id));
    let _ = sessions.end(&user, &ending).await;
    Ok(())
}
