//! Work beside requests and messages.

mod ship;

use std::sync::Arc;
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use bhiv_service::{App, Context};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::commands::keep_months::KeepMonths;
use crate::commands::number_audit::{self, NumberAudit};
use crate::config::Config;
use crate::domain::notary::Notary;
use crate::elasticsearch::Elasticsearch;
use ship::Shipper;

/// How often it is looked which months are to be made or dropped. One is dropped at a time.
const MONTHS: Duration = Duration::from_mins(10);

/// All of it.
pub fn add(
    app: App,
    config: &Config,
    context: &Context,
    notary: Option<Arc<Notary>>,
    elasticsearch: Option<Elasticsearch>,
) -> App {
    let (numbering, months) = (context.clone(), context.clone());
    let every = TimeDelta::milliseconds(i64::try_from(config.audit_checkpoint_ms).unwrap_or(i64::MAX / 2));
    let number = Duration::from_millis(config.audit_number_ms);
    let app = match elasticsearch {
        None => app,
        Some(to) => {
            let every = Duration::from_millis(config.ship_ms);
            let shipper = Shipper { context: context.clone(), to, every };
            app.with_job("ship", move |stop| shipper.run(stop))
        }
    };
    app.with_job("number", move |stop| {
        let command = move || NumberAudit { notary: notary.clone(), every };
        repeat(numbering, number, stop, command, number_audit::AT_A_TIME)
    })
    .with_job("months", move |stop| repeat(months, MONTHS, stop, || KeepMonths, 1))
}

/// Runs a command again and again, until `stop`: at once while it did as much as it may at a time, else after a while.
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
        let origin = Origin { actor: "service/logging".to_owned(), ..Origin::default() };
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
