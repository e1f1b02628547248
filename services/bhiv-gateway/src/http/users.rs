use actix_web::web::{Data, Json};
use bhiv_auth::require::GatewayAdmin;
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::patch_user::PatchUser;
use crate::domain::user::UserChange;
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
) -> Result<Json<User>> {
    Ok(Json(gateway.run(who.origin(), PatchUser { id, change }).await?))
}
