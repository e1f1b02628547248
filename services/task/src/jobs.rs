//! Work beside requests and messages.

mod receivers;

use std::time::Duration;

use bhiv_service::{App, Context, repeat};
use bhiv_webhook::Sender;
use chrono::TimeDelta;

use crate::commands::forget_events::{self, ForgetEvents};
use crate::commands::recur::{self, Recur};
use crate::commands::tell_overdue::{self, TellOverdue};
use crate::commands::wake_runs::{self, WakeRuns};
use crate::commands::watch_tasks::{self, EscalateLate, TellUnanswered};
use crate::config::Config;
use receivers::Teller;

/// How often what is old is forgotten.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

const ACTOR: &str = "service/task";

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
    app.with_job("overdue", move |stop| {
        repeat(overdue, ACTOR, every, stop, || TellOverdue, tell_overdue::AT_A_TIME)
    })
    .with_job("escalate", move |stop| {
        repeat(late, ACTOR, every, stop, || EscalateLate, watch_tasks::AT_A_TIME)
    })
    .with_job("unanswered", move |stop| {
        repeat(unanswered, ACTOR, every, stop, || TellUnanswered, watch_tasks::AT_A_TIME)
    })
    .with_job("recur", move |stop| repeat(recurring, ACTOR, every, stop, || Recur, recur::AT_A_TIME))
    .with_job("wake", move |stop| repeat(waking, ACTOR, every, stop, || WakeRuns, wake_runs::AT_A_TIME))
    .with_job("receivers", move |stop| receivers::tell(teller, every, stop))
    .with_job("forget", move |stop| {
        let forget = move || ForgetEvents { days };
        repeat(forgetting, ACTOR, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
    })
}
