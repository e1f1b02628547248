use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Id, Limit, Problem, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::page::{LogCursor, LogPage};
use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;
use crate::domain::source::LogSource;
use crate::store::entry::{self, Filter, LogEntry};

/// Which entries, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLogs {
    /// Events or audit rows alone.
    r#type: Option<LogKind>,
    /// Those with this public name, for example `lead_created`.
    #[schema(min_length = 1, max_length = 500)]
    event_type: Option<String>,
    /// Those of this user.
    #[schema(min_length = 1, max_length = 500)]
    user_id: Option<String>,
    /// Those of this task.
    #[schema(min_length = 1, max_length = 500)]
    task_id: Option<String>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
    /// Those about this, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 500)]
    entity: Option<String>,
    /// Those that this service emitted.
    source: Option<LogSource>,
    /// Those with this text in data, subject or event type.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// Those at this time or later.
    since: Option<DateTime<Utc>>,
    /// Those before this time.
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<LogCursor>,
}

impl ListLogs {
    fn filter(self) -> Filter {
        Filter {
            kind: self.r#type,
            event_type: self.event_type,
            user_id: self.user_id,
            task_id: self.task_id,
            correlation_id: self.correlation_id,
            entity: self.entity,
            source: self.source.map(|LogSource(producer)| producer),
            text: self.q,
            since: self.since,
            until: self.until,
            ..Filter::default()
        }
    }
}

pub async fn list(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<ListLogs>,
    logging: Data<Context>,
) -> Result<Json<LogPage>> {
    let (limit, after) = (query.limit, LogCursor::place(query.cursor));
    let filter = query.filter();
    let mut conn = logging.read().await?;
    let logs = entry::list(&mut conn, &filter, after, limit.and_one()).await?;
    let count = entry::count(&mut conn, &filter).await?;
    Ok(Json(LogPage::new(logs, limit, count)))
}

pub async fn read(
    _: Can<LoggingRead>,
    Id(id): Id<EntryId>,
    logging: Data<Context>,
) -> Result<Json<LogEntry>> {
    let entry = entry::find(&mut *logging.read().await?, id).await?;
    entry.map(Json).ok_or_else(|| Problem::not_found(format!("log entry {id}")))
}
