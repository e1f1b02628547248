use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::Origin;
use bhiv_service::Context;
use tokio_util::sync::CancellationToken;

use crate::commands::find_delays::{AT_A_TIME, FindDelays};

/// Finds deliveries that are late, until `stop`. Every replica does; each delivery is found by one.
pub async fn find(context: Context, every: Duration, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let origin = Origin { actor: "service/logistics".to_owned(), ..Origin::default() };
        let pause = match context.run(origin, FindDelays).await {
            Ok(found) if found == AT_A_TIME => continue,
            Ok(_) => {
                backoff.reset();
                every
            }
            Err(error) => {
                tracing::warn!(?error, "it cannot be told which deliveries are late");
                backoff.next_delay()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}
