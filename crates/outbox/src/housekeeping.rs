use std::time::Duration;

use bhiv_clock::Clock;
use bhiv_db::{Error, Pool};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Builder;

use crate::idempotency;
use crate::inbox::rows;

/// How long the inbox remembers. A dead letter that is put back later than this could be handled twice.
const MEMORY: TimeDelta = TimeDelta::days(30);

const EVERY: Duration = Duration::from_hours(1);
const AT_A_TIME: i64 = 5_000;

/// Forgets old inbox rows and old answers, hourly, until `stop`.
pub async fn housekeeping(pool: Pool, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match forget_old(&pool, &clock, &stop).await {
            Ok(0) => {}
            Ok(rows) => info!(rows, "old rows of the inbox and old answers are gone"),
            Err(error) => warn!(%error, "old rows stay for now"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Ids are UUIDv7, so the oldest are the lowest.
async fn forget_old(pool: &Pool, clock: &Clock, stop: &CancellationToken) -> Result<usize, Error> {
    let oldest = u64::try_from((clock.now() - MEMORY).timestamp_millis()).unwrap_or(0);
    let before = Builder::from_unix_timestamp_millis(oldest, &[0; 10]).into_uuid();
    let mut forgotten = 0;
    while !stop.is_cancelled() {
        let rows = rows::forget_before(&mut *pool.get().await?, before, AT_A_TIME).await?;
        forgotten += rows;
        if rows == 0 {
            break;
        }
    }
    while !stop.is_cancelled() {
        let rows = idempotency::forget_old(&mut *pool.get().await?, AT_A_TIME).await?;
        forgotten += rows;
        if rows == 0 {
            break;
        }
    }
    Ok(forgotten)
}
