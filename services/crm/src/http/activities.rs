use actix_web::web::{Data, Json};
use bhiv_auth::require::CrmRead;
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Limit, Page, Result, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::store::activity::{self, Activity};

/// Whose activities, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListActivities {
    /// What they happened to, for example `opportunity/0190...`.
    #[schema(min_length = 1, max_length = 100)]
    entity: String,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<CrmRead>,
    ValidQuery(query): ValidQuery<ListActivities>,
    crm: Data<Context>,
) -> Result<Json<Page<Activity>>> {
    let ListActivities { entity, limit, cursor } = query;
    let mut conn = crm.read().await?;
    let found = activity::list(&mut conn, &entity, Cursor::id(cursor), limit.and_one()).await?;
    let total = activity::count(&mut conn, &entity).await?;
    Ok(Json(Page::new(found, limit, total, |activity| activity.id)))
}
