//! Work beside requests and messages.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::Origin;
use bhiv_service::{App, Context};
use tokio_util::sync::CancellationToken;

use crate::commands::tell_overdue::{AT_A_TIME, TellOverdue};
use crate::config::Config;

/// All of it.
pub fn add(app: App, config: &Config, context: &Context) -> App {
    let (context, every) = (context.clone(), Duration::from_millis(config.overdue_check_ms));
    app.with_job("overdue", move |stop| tell_overdue(context, every, stop))
}

/// Tells of tasks that have become overdue, until `stop`. Every replica does; each task is told of by one.
async fn tell_overdue(context: Context, every: Duration, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let origin = Origin { actor: "service/task".to_owned(), ..Origin::default() };
        let pause = match context.run(origin, TellOverdue).await {
            Ok(told) if told == AT_A_TIME => continue,
            Ok(_) => {
                backoff.reset();
                every
            }
            Err(error) => {
                tracing::warn!(?error, "it cannot be told which tasks are overdue");
                backoff.next_delay()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}
