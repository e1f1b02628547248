use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Id, Problem, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::logs::Opens;
use crate::domain::story::{CausalTree, trees};
use crate::store::entry::{self, LogEntry};
use crate::store::opened;

/// How many entries of a story are told.
const MOST: i64 = 1_000;

/// A causal story: everything with one correlation id.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogStory {
    /// Which story.
    correlation_id: Uuid,
    /// Its entries, the oldest first.
    entries: Vec<LogEntry>,
    /// Which entry led to which, by their ids. Every entry is there once.
    causes: Vec<CausalTree>,
    /// Whether there are more entries than are told.
    truncated: bool,
}

impl LogStory {
    /// `entries` were read with one more than [`MOST`], to see whether there is more.
    fn new(correlation_id: Uuid, mut entries: Vec<LogEntry>) -> Self {
        let most = usize::try_from(MOST).unwrap_or(usize::MAX);
        let truncated = entries.len() > most;
        entries.truncate(most);
        let causes: Vec<_> = entries.iter().map(|entry| (entry.id, entry.causation_id)).collect();
        Self { correlation_id, entries, causes: trees(&causes), truncated }
    }
}

pub async fn read(
    _: Can<LoggingRead>,
    Id(correlation_id): Id<Uuid>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Json<LogStory>> {
    let mut conn = logging.read().await?;
    let mut entries = entry::story(&mut conn, correlation_id, MOST + 1).await?;
    opened::open(&mut conn, opens.as_deref(), &mut entries).await?;
    if entries.is_empty() {
        return Err(Problem::not_found(format!("story {correlation_id}")));
    }
    Ok(Json(LogStory::new(correlation_id, entries)))
}
