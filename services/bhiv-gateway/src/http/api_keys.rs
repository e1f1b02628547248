use actix_web::web::{Data, Json};
use aws_lc_rs::rand;
use bhiv_service::Context;
use bhiv_web::{
    Created, Cursor, Id, Known, Limit, NoContent, Page, Problem, Result, Valid, ValidQuery, codes,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::user_id;
use crate::commands::make_api_key::MakeApiKey;
use crate::commands::revoke_api_key::RevokeApiKey;
use crate::domain::api_key::{ApiKey, NewApiKey};
use crate::sessions::Sessions;
use crate::store::api_key::{self, ApiKeyRow};

/// How many keys.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListApiKeys {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// A new key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKey {
    #[serde(flatten)]
    row: ApiKeyRow,
    /// The key itself, for the header `X-API-Key` or `Authorization: Bearer`. It is shown this once; null when the
    /// request was a repetition.
    key: Option<String>,
}

pub async fn list(
    who: Known,
    ValidQuery(ListApiKeys { limit, cursor }): ValidQuery<ListApiKeys>,
    gateway: Data<Context>,
) -> Result<Json<Page<ApiKeyRow>>> {
    let user_id = user_id(&who.caller)?;
    let mut conn = gateway.read().await?;
    let keys = api_key::list(&mut conn, user_id, Cursor::id(cursor), limit.and_one()).await?;
    let total = api_key::count(&mut conn, user_id).await?;
    Ok(Json(Page::new(keys, limit, total, |key| key.id)))
}

pub async fn make(
    who: Known,
    Valid(new): Valid<NewApiKey>,
    gateway: Data<Context>,
) -> Result<Created<NewKey>> {
    let user_id = user_id(&who.caller)?;
    for (index, scope) in new.scopes.iter().enumerate() {
        if !who.caller.may(scope.0) {
            return Err(
                Problem::denied(scope.0).at(format!("/scopes/{index}"), "is more than the caller may do")
            );
        }
    }
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|_| codes::INTERNAL)?;
    let key = ApiKey::new(random);
    let row = gateway.run(who.origin(), MakeApiKey { user_id, new, key: key.clone() }).await?;
    // A repetition finds the row of the first request, whose key nobody has any more.
    let is_first = row.hint == key.hint();
    let key = is_first.then(|| key.reveal().to_owned());
    Ok(Created::at(format!("/auth/keys/{}", row.id), NewKey { row, key }))
}

pub async fn revoke(
    who: Known,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
    sessions: Data<Sessions>,
) -> Result<NoContent> {
    gateway.run(who.origin(), RevokeApiKey { id, user_id: user_id(&who.caller)? }).await?;
    // What was exchanged for it ends as well, at once where Redis is there, within a minute elsewhere.
    let _ = sessions.end(&who.caller.id, &[format!("key/{id}")]).await;
    Ok(NoContent)
}
