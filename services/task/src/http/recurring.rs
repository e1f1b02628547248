use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{Can, Created, Cursor, Id, Limit, NoContent, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::recur::{CreateRecurring, DeleteRecurring, PatchRecurring};
use crate::domain::ids::RecurringId;
use crate::domain::recurring::{NewRecurring, RecurringChange};
use crate::store::recurring::{self, Recurring};

/// Which of them, and how many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRecurring {
    /// Those that come, or those that do not.
    enabled: Option<bool>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskWrite>,
    Valid(new): Valid<NewRecurring>,
    service: Data<Context>,
) -> Result<Created<Recurring>> {
    let recurring = service.run(who.origin(), CreateRecurring(new)).await?;
    Ok(Created::at(format!("/task/recurring/{}", recurring.id), recurring))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(ListRecurring { enabled, limit, cursor }): ValidQuery<ListRecurring>,
    service: Data<Context>,
) -> Result<Json<Page<Recurring>>> {
    let mut conn = service.read().await?;
    let found = recurring::list(&mut conn, enabled, Cursor::id(cursor), limit.and_one()).await?;
    let total = recurring::count(&mut conn, enabled).await?;
    Ok(Json(Page::new(found, limit, total, |recurring| recurring.id.0)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<RecurringId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    service: Data<Context>,
) -> Result<Json<Recurring>> {
    let mut conn = service.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("recurring/{id}"), at).await.map(Json);
    }
    let recurring = recurring::find(&mut conn, id).await?;
    recurring.map(Json).ok_or_else(|| Problem::not_found(format!("recurring/{id}")))
}

pub async fn history(
    _: Can<TaskRead>,
    Id(id): Id<RecurringId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    service: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *service.read().await?, &format!("recurring/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<TaskWrite>,
    Id(id): Id<RecurringId>,
    Valid(change): Valid<RecurringChange>,
    service: Data<Context>,
) -> Result<Json<Recurring>> {
    Ok(Json(service.run(who.origin(), PatchRecurring { id, change }).await?))
}

pub async fn delete(
    who: Can<TaskWrite>,
    Id(id): Id<RecurringId>,
    service: Data<Context>,
) -> Result<NoContent> {
    service.run(who.origin(), DeleteRecurring(id)).await?;
    Ok(NoContent)
}
