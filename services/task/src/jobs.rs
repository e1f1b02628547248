//! Work beside requests and messages.

mod receivers;

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use bhiv_service::{App, Context};
use bhiv_webhook::Sender;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::commands::forget_events::{self, ForgetEvents};
use crate::commands::recur::{self, Recur};
use crate::commands::tell_overdue::{self, TellOverdue};
use crate::commands::wake_runs::{self, WakeRuns};
use crate::commands::watch_tasks::{self, EscalateLate, TellUnanswered};
use crate::config::Config;
use receivers::Teller;

/// How often what is old is forgotten.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// All of it.
pub fn add(app: App, config: &Config, context: &Context, sender: Sender) -> App {
    let every = Duration::from_millis(config.timer_check_ms);
    let (overdue, waking, forgetting) = (context.clone(), context.clone(), context.clone());
    let (late, unanswered, recurring) = (context.clone(), context.clone(), context.clone());
    let days = config.keep_events_days;
    let timeout = i64::try_from(config.sending.webhook_timeout_ms).unwrap_or(i64::MAX);
    let teller = Teller {
        context: context.clone(),
        sender,
        secret: config.notify_secret.clone(),
        most: config.notify_concurrency.max(1),
        timeout: TimeDelta::try_milliseconds(timeout).unwrap_or_default(),
    };
    app.with_job("overdue", move |stop| repeat(overdue, every, stop, || TellOverdue, tell_overdue::AT_A_TIME))
        .with_job("escalate", move |stop| repeat(late, every, stop, || EscalateLate, watch_tasks::AT_A_TIME))
        .with_job("unanswered", move |stop| {
            repeat(unanswered, every, stop, || TellUnanswered, watch_tasks::AT_A_TIME)
        })
        .with_job("recur", move |stop| repeat(recurring, every, stop, || Recur, recur::AT_A_TIME))
        .with_job("wake", move |stop| repeat(waking, every, stop, || WakeRuns, wake_runs::AT_A_TIME))
        .with_job("receivers", move |stop| receivers::tell(teller, every, stop))
        .with_job("forget", move |stop| {
            let forget = move || ForgetEvents { days };
            repeat(forgetting, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
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
        let origin = Origin { actor: "service/task".to_owned(), ..Origin::default() };
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
