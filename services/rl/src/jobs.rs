//! Work beside requests and messages.

use std::time::Duration;

use bhiv_db::Error;
use bhiv_service::{App, Context, repeat};
use tokio_util::sync::CancellationToken;

use crate::commands::close_decisions::{self, CloseDecisions};
use crate::commands::learn_outcomes::{self, LearnOutcomes};
use crate::config::Config;
use crate::domain::served::Served;
use crate::store::policy;

const ACTOR: &str = "service/rl";

/// All of it.
pub fn add(app: App, config: &Config, context: &Context, served: Served) -> App {
    let [learning, closing, following] = [(); 3].map(|()| context.clone());
    let often = Duration::from_millis(config.learn_every_ms);
    let every = Duration::from_millis(config.close_every_ms);
    app.with_job("learn", move |stop| {
        repeat(learning, ACTOR, often, stop, || LearnOutcomes, learn_outcomes::AT_A_TIME)
    })
    .with_job("close", move |stop| {
        repeat(closing, ACTOR, every, stop, || CloseDecisions, close_decisions::AT_A_TIME)
    })
    .with_job("follow", move |stop| follow(following, served, often, stop))
}

/// Has this replica decide with what whichever replica has learned.
async fn follow(context: Context, served: Served, every: Duration, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = catch_up(&context, &served).await {
            tracing::warn!(%error, "it goes on deciding with policies that may be old");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn catch_up(context: &Context, served: &Served) -> Result<(), Error> {
    let mut conn = context.read().await?;
    for kind in served.outdated(policy::versions(&mut conn).await?) {
        if let Some(row) = policy::find(&mut conn, &kind).await? {
            let newest = policy::serving(&mut conn, &row).await?;
            served.put(&kind, row.version, newest);
        }
    }
    Ok(())
}
