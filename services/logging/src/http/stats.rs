use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::stats::{self, Tally};

/// What time to count over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountLogs {
    /// Entries at this time or later.
    since: Option<DateTime<Utc>>,
    /// Entries before this time.
    until: Option<DateTime<Utc>>,
}

/// How many entries there are.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LogStats {
    /// All of them.
    count: i64,
    /// Events and audit rows; one that is missing has none.
    by_kind: BTreeMap<String, i64>,
    /// Those with each public name, for example `lead_created`.
    by_event_type: BTreeMap<String, i64>,
}

impl From<Vec<Tally>> for LogStats {
    fn from(tallies: Vec<Tally>) -> Self {
        let mut stats = Self::default();
        for Tally { kind, event_type, count } in tallies {
            stats.count += count;
            *stats.by_kind.entry(kind.to_string()).or_default() += count;
            *stats.by_event_type.entry(event_type).or_default() += count;
        }
        stats
    }
}

pub async fn read(
    _: Can<LoggingRead>,
    ValidQuery(CountLogs { since, until }): ValidQuery<CountLogs>,
    logging: Data<Context>,
) -> Result<Json<LogStats>> {
    let tallies = stats::tally(&mut *logging.read().await?, since, until).await?;
    Ok(Json(tallies.into()))
}
