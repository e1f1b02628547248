use std::time::Duration;

use bhiv_db::{Conn, Error};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::time::timeout;

/// How long whoever leads may take to let go.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lead of one service's relays: while it is held, none of them publishes, and events wait in the outbox. It is given
/// up by dropping it.
pub struct Hold {
    _session: Conn,
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hold")
    }
}

/// Takes the lead from the relay that has it, by ending its session, in the schema of `url`. `url` is an administrator's.
///
/// # Errors
/// When the database fails, or the leader does not go.
pub async fn hold(url: &str) -> Result<Hold, Error> {
    let establish = || async { Conn::establish(url).await.map_err(away) };
    let (mut session, mut other) = (establish().await?, establish().await?);
    // First in the queue: the followers only ever try, and do not get what somebody waits for.
    let take =
        diesel::sql_query("SELECT pg_advisory_lock(hashtextextended(current_schema() || '.outbox.0', 0))");
    let mut taking = tokio::spawn(async move {
        take.execute(&mut session).await?;
        Ok::<_, Error>(session)
    });
    let ending = async {
        loop {
            if let Ok(taken) = timeout(Duration::from_millis(100), &mut taking).await {
                return taken.map_err(away)?;
            }
            if let Some(leader) = super::status::leader(&mut other).await? {
                diesel::sql_query("SELECT pg_terminate_backend($1)")
                    .bind::<diesel::sql_types::Integer, _>(leader.pid)
                    .execute(&mut other)
                    .await?;
            }
        }
    };
    if let Ok(session) = timeout(PATIENCE, ending).await {
        return Ok(Hold { _session: session? });
    }
    taking.abort();
    Err(Error::Unavailable(format!("the relay that leads has not gone after {PATIENCE:?}")))
}

fn away(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}
