use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use bhiv_service::Context;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::commands::advance_plan::{ClaimPlan, Claimed, EndPlan, KeepPlan};
use crate::domain::plan::Routes;
use crate::planner::{self, Limits};

/// How often it is said how far a plan is, and looked whether it is still wanted.
const KEPT: Duration = Duration::from_secs(1);
/// More make nothing better that is as small as these plans.
const GENERATIONS: usize = 3000;

/// Computes plans, one at a time, until `stop`. A plan goes to one replica; when that one dies, to another.
pub async fn compute(context: Context, every: Duration, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let pause = match next(&context, &stop).await {
            Ok(true) => continue,
            Ok(false) => {
                backoff.reset();
                every
            }
            Err(error) => {
                tracing::warn!(error, "routes are not planned");
                backoff.next_delay()
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// One plan, if there is one.
async fn next(context: &Context, stop: &CancellationToken) -> Result<bool, String> {
    let Some(claimed) = run(context, ClaimPlan).await? else { return Ok(false) };
    let (id, attempt) = (claimed.id, claimed.attempt);
    if let Some(result) = watched(context, claimed, stop).await? {
        run(context, EndPlan { id, attempt, result }).await?;
    }
    Ok(true)
}

/// Looks for routes, and tells how far it is; nothing when nobody wants them any more. The solver stops as soon as this
/// ends, however it ends.
async fn watched(
    context: &Context,
    claimed: Claimed,
    stop: &CancellationToken,
) -> Result<Option<Result<Routes, String>>, String> {
    let Claimed { id, attempt, task } = claimed;
    let enough = Enough(Arc::new(AtomicBool::new(false)));
    let seconds = task.ask.max_seconds;
    let limits = Limits {
        seconds: usize::try_from(seconds).unwrap_or(usize::MAX),
        generations: GENERATIONS,
        stop: Arc::clone(&enough.0),
    };
    let mut solving = tokio::task::spawn_blocking(move || {
        planner::solve(&task.problem(), &limits).map(|solution| task.routes(&solution))
    });
    let (began, mut ticks) = (Instant::now(), interval(KEPT));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = &mut solving => return ended.map(Some).or_else(|error| Ok(Some(Err(error.to_string())))),
            () = stop.cancelled() => return Ok(None),
            _ = ticks.tick() => {
                let part = began.elapsed().as_secs_f64() / f64::from(seconds);
                #[expect(clippy::cast_possible_truncation, reason = "it is 0 to 99")]
                let progress = (part * 100.0).clamp(0.0, 99.0) as i32;
                if !run(context, KeepPlan { id, attempt, progress }).await? {
                    return Ok(None);
                }
            }
        }
    }
}

struct Enough(Arc<AtomicBool>);

impl Drop for Enough {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn run<C: Command<Refusal = Infallible>>(context: &Context, command: C) -> Result<C::Output, String> {
    let origin = Origin { actor: "service/logistics".to_owned(), ..Origin::default() };
    context.run(origin, command).await.map_err(|fault| format!("{fault:?}"))
}
