use actix_web::web::{Data, Json};
use bhiv_auth::require::{LoggingAdmin, LoggingRead};
use bhiv_service::Context;
use bhiv_web::{Can, Result, Valid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::keep_for::KeepFor;
use crate::domain::kind::LogKind;
use crate::store::partition::{self, Partition};
use crate::store::retention::{self, Retention};

/// How long what is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogRetention {
    /// Each kind of entries.
    items: Vec<Retention>,
    /// The months that they are kept in, the oldest first; what was dropped too.
    partitions: Vec<LogMonth>,
}

/// A month of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogMonth {
    #[serde(flatten)]
    partition: Partition,
    /// How many entries it has, as PostgreSQL estimates them.
    rows: i64,
}

pub async fn read(_: Can<LoggingRead>, logging: Data<Context>) -> Result<Json<LogRetention>> {
    let mut conn = logging.read().await?;
    let items = retention::all(&mut conn).await?;
    let mut partitions = Vec::new();
    for partition in partition::all(&mut conn).await? {
        let rows = partition::estimate(&mut conn, &partition).await?;
        partitions.push(LogMonth { partition, rows });
    }
    Ok(Json(LogRetention { items, partitions }))
}

/// How long a kind of entries is to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepEntriesFor {
    /// Events or audit rows.
    kind: LogKind,
    /// Days after the end of its month, after which a month of them is dropped; null, or nothing: never.
    #[schema(minimum = 1, maximum = 36_500)]
    days: Option<i32>,
    /// Whether nothing of it may be dropped, whatever `days` says.
    #[serde(default)]
    legal_hold: bool,
    /// Why it is so.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

pub async fn change(
    who: Can<LoggingAdmin>,
    Valid(change): Valid<KeepEntriesFor>,
    logging: Data<Context>,
) -> Result<Json<Retention>> {
    let KeepEntriesFor { kind, days, legal_hold, reason } = change;
    let command = KeepFor { kind, days, legal_hold, reason };
    Ok(Json(logging.run(who.origin(), command).await?))
}
