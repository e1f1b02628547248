//! Ending the sessions of users who were forgotten. Redis has them, which no transaction reaches: the erasure notes whose
//! they are, and here they are ended, at least once.

use std::time::Duration;

use bhiv_db::{Error, Pool};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::sessions::Sessions;
use crate::store::erasure::{self, ToEnd};

/// How often it is looked for such users.
const POLL: Duration = Duration::from_secs(1);

/// Users that are looked at at a time.
const AT_A_TIME: i64 = 100;

/// Ends them, until `stop`. What Redis does not take is tried again.
pub async fn end_sessions(pool: Pool, sessions: Sessions, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = end_some(&pool, &sessions).await {
            warn!(%error, "sessions of users who were forgotten stay for now");
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn end_some(pool: &Pool, sessions: &Sessions) -> Result<(), Error> {
    let some = erasure::sessions_to_end(&mut *pool.get().await?, AT_A_TIME).await?;
    for to_end in some {
        if end_all(sessions, &to_end).await.is_some() {
            erasure::sessions_ended(&mut *pool.get().await?, &to_end.0).await?;
        }
    }
    Ok(())
}

/// None when Redis is away.
async fn end_all(sessions: &Sessions, (user, keys): &ToEnd) -> Option<()> {
    let mut ending: Vec<_> = keys.iter().map(|key| format!("key/{key}")).collect();
    loop {
        let some = sessions.of(user).await.ok()?;
        let is_last = some.is_empty();
        ending.extend(some.into_iter().map(|session| session.id));
        sessions.end(user, &ending).await.ok()?;
        if is_last {
            return Some(());
        }
        ending.clear();
    }
}
