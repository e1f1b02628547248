//! What the clock demands.

use std::time::Duration;

use bhiv_service::{App, Context, repeat};

use crate::commands::begin_due_erasures::{self, BeginDueErasures};
use crate::commands::expire_consents::{self, ExpireConsents};
use crate::commands::forget_events::{self, ForgetEvents, ForgetPacks};
use crate::commands::work_on_duty::{self, TellOverdueDuties};
use crate::config::Config;

/// How often what is old is forgotten.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

const ACTOR: &str = "service/compliance";

/// All of it.
pub fn add(app: App, config: &Config, context: &Context) -> App {
    let every = Duration::from_millis(config.timer_check_ms);
    let (erasing, expiring) = (context.clone(), context.clone());
    let (late, forgetting, throwing) = (context.clone(), context.clone(), context.clone());
    let packs = config.keep_packs_days;
    let days = config.keep_events_days;
    app.with_job("erase", move |stop| {
        repeat(erasing, ACTOR, every, stop, || BeginDueErasures, begin_due_erasures::AT_A_TIME)
    })
    .with_job("expire", move |stop| {
        repeat(expiring, ACTOR, every, stop, || ExpireConsents, expire_consents::AT_A_TIME)
    })
    .with_job("overdue", move |stop| {
        repeat(late, ACTOR, every, stop, || TellOverdueDuties, work_on_duty::AT_A_TIME)
    })
    .with_job("forget", move |stop| {
        let forget = move || ForgetEvents { days };
        repeat(forgetting, ACTOR, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
    })
    .with_job("packs", move |stop| {
        let forget = move || ForgetPacks { days: packs };
        repeat(throwing, ACTOR, HOUSEKEEPING, stop, forget, forget_events::AT_A_TIME)
    })
}
