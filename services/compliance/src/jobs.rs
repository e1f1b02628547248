//! What the clock demands.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use bhiv_service::{App, Context};
use tokio_util::sync::CancellationToken;

use crate::commands::begin_due_erasures::{self, BeginDueErasures};
use crate::commands::expire_consents::{self, ExpireConsents};
use crate::commands::forget_events::{self, ForgetEvents, ForgetPacks};
use crate::commands::work_on_duty::{self, TellOverdueDuties};
use crate::config::Config;

/// How often what is old is forgotten.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// All of it.
pub fn add(app: App, config: &Config, context: &Context) -> App {
    let every = Duration::from_millis(config.timer_check_ms);
    let (erasing, expiring) = (context.clone(), context.clone());
    let (late, forgetting, throwing) = (context.clone(), context.clone(), context.clone());
    let packs = config.keep_packs_days;
    let days = config.keep_events_days;
    app.with_job("erase", move |stop| {
        repeat(erasing, every, stop, || BeginDueErasures, begin_due_erasures::AT_A_TIME)
    })
    .with_job("expire", move |stop| {
        repeat(expiring, every, stop, || ExpireConsents, expire_consents::AT_A_TIME)
    })
    .with_job("overdue", move |stop| repeat(late, every, stop, || TellOverdueDuties, work_on_duty::AT_A_TIME))
    .with_job("forget", move |stop| {
        let forget = move || ForgetEvents { days };
        repeat(forgetting, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
    })
    .with_job("packs", move |stop| {
        let forget = move || ForgetPacks { days: packs };
        repeat(throwing, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
    })
}

/// Runs a command again and again, until `stop`: at once while it did as much as it may at a time, else after a while.
/// Every replica does; what one of them has at hand the others leave alone.
async fn repeat<C: Command<Output = usize>>(
    context: Context,
    every: Duration,
    stop: CancellationToken,
    command: impl Fn() -> C,
    at_a_time: usize,
) where
    C::Refusal: std::fmt::Debug,
{
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let origin = Origin { actor: "service/compliance".to_owned(), ..Origin::default() };
        let pause = match context.run(origin, command()).await {
            Ok(done) if done == at_a_time => continue,
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
