use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use tokio_util::sync::CancellationToken;

use crate::Context;

/// Runs a command again and again, until `stop`: at once while it did as much as it may at a time, else after a while.
/// Every replica does; what one of them has at hand the others have to leave alone. `actor` is who acts, for example
/// `service/task`.
pub async fn repeat<C: Command<Output = usize>>(
    context: Context,
    actor: &'static str,
    every: Duration,
    stop: CancellationToken,
    command: impl Fn() -> C,
    at_a_time: usize,
) where
    C::Refusal: std::fmt::Debug,
{
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let origin = Origin { actor: actor.to_owned(), ..Origin::default() };
        let pause = match context.run(origin, command()).await {
            Ok(done) if done >= at_a_time => continue,
            Ok(_) => {
                backoff.reset();
                every
            }
            Err(error) => {
                tracing::warn!(?error, "work beside requests fails");
                backoff.next_delay()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}
