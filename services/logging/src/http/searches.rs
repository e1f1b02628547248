use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, NoContent, Page, Problem, Result, Valid, ValidQuery};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::query::filtered;
use crate::commands::save_search::{DropSearch, SaveSearch};
use crate::store::saved_search::{self, SavedSearch};

filtered! {
    /// Filters, as the query parameters of `GET /logs`.
    #[derive(serde::Serialize)]
    pub struct SearchFilters {}
}

/// A search to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSearch {
    /// What it is called, unlike any other of the same person.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    query: SearchFilters,
    /// Whether everybody who may read logs may use it; only who saved it changes it.
    #[serde(default)]
    shared: bool,
}

impl NewSearch {
    fn command(self, id: Option<Uuid>) -> Result<SaveSearch> {
        self.query.filter("/query/q")?;
        let query = serde_json::to_value(&self.query).unwrap_or_default();
        Ok(SaveSearch { id, name: self.name, query, shared: self.shared })
    }
}

/// Which part of the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSearches {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    who: Can<LoggingRead>,
    ValidQuery(ListSearches { limit, cursor }): ValidQuery<ListSearches>,
    logging: Data<Context>,
) -> Result<Json<Page<SavedSearch>>> {
    let owner = who.caller.actor();
    let mut conn = logging.read().await?;
    let items = saved_search::list(&mut conn, &owner, Cursor::id(cursor), limit.and_one()).await?;
    let total = saved_search::count(&mut conn, &owner).await?;
    Ok(Json(Page::new(items, limit, total, |search| search.id)))
}

pub async fn save(
    who: Can<LoggingRead>,
    Valid(new): Valid<NewSearch>,
    logging: Data<Context>,
) -> Result<Created<SavedSearch>> {
    let saved = logging.run(who.origin(), new.command(None)?).await?;
    Ok(Created::at(format!("/logs/searches/{}", saved.id), saved))
}

pub async fn read(
    who: Can<LoggingRead>,
    Id(id): Id<Uuid>,
    logging: Data<Context>,
) -> Result<Json<SavedSearch>> {
    let found = saved_search::find(&mut *logging.read().await?, &who.caller.actor(), id).await?;
    found.map(Json).ok_or_else(|| Problem::not_found(format!("search/{id}")))
}

pub async fn change(
    who: Can<LoggingRead>,
    Id(id): Id<Uuid>,
    Valid(new): Valid<NewSearch>,
    logging: Data<Context>,
) -> Result<Json<SavedSearch>> {
    Ok(Json(logging.run(who.origin(), new.command(Some(id))?).await?))
}

pub async fn delete(who: Can<LoggingRead>, Id(id): Id<Uuid>, logging: Data<Context>) -> Result<NoContent> {
    logging.run(who.origin(), DropSearch { id }).await?;
    Ok(NoContent)
}
