use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Id, Problem, Result, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::logs::Opens;
use crate::domain::ids::EntryId;
use crate::store::entry::{self, Filter, LogEntry};
use crate::store::opened;

/// Among which entries those before and after are looked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContextOf {
    /// All of them.
    #[default]
    All,
    /// Those about the same thing.
    Entity,
    /// Those of the same causal story.
    Story,
    /// Those of the same user.
    User,
}

/// How much there is around an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AroundEntry {
    /// Among which entries.
    #[serde(default)]
    of: ContextOf,
    /// How many before it.
    #[serde(default = "some")]
    #[schema(minimum = 0, maximum = 100, default = 10)]
    before: i64,
    /// How many after it.
    #[serde(default = "some")]
    #[schema(minimum = 0, maximum = 100, default = 10)]
    after: i64,
}

fn some() -> i64 {
    10
}

/// An entry, and what was before and after it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogContext {
    /// Those before it, the oldest first.
    before: Vec<LogEntry>,
    /// The entry.
    entry: LogEntry,
    /// Those after it, the oldest first.
    after: Vec<LogEntry>,
}

pub async fn read(
    _: Can<LoggingRead>,
    Id(id): Id<EntryId>,
    ValidQuery(AroundEntry { of, before, after }): ValidQuery<AroundEntry>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Json<LogContext>> {
    let mut conn = logging.read().await?;
    let found = entry::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found(format!("entry {id}")))?;
    let filter = match of {
        ContextOf::All => Filter::default(),
        ContextOf::Entity => Filter { entity: Some(found.entity.clone()), ..Filter::default() },
        ContextOf::Story => Filter { correlation_id: Some(found.correlation_id), ..Filter::default() },
        // An entry of nobody has nobody's around it.
        ContextOf::User => {
            Filter { user_id: Some(found.user_id.clone().unwrap_or_default()), ..Filter::default() }
        }
    };
    let place = (found.timestamp, found.id);
    let mut entries = entry::list(&mut conn, &filter, Some(place), before).await?;
    entries.reverse();
    let count = entries.len();
    entries.push(found);
    entries.extend(entry::list_after(&mut conn, &filter, place, after).await?);
    opened::open(&mut conn, opens.as_deref(), &mut entries).await?;
    let mut after = entries.split_off(count);
    let entry = after.remove(0);
    Ok(Json(LogContext { before: entries, entry, after }))
}
