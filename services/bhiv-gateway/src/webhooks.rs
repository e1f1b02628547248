//! Webhooks: from the table of deliveries to the receivers, by every replica, each delivery by one of them at a
//! time.
//!
//! [`crate::consumers`] writes the deliveries in the transaction that hears the event, so each is made at least
//! once. Whoever takes one up moves its next attempt a minute away first: if the process dies, somebody takes it
//! up again then. No transaction is open while anything is sent.

mod worker;

pub use worker::deliver;

use std::sync::Arc;
use std::time::Duration;

use bhiv_db::{Error, Pool};
use bhiv_service::Context;
use bhiv_telemetry::metrics::gauge;
use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::store::webhook;

/// How long attempts are kept, and what cannot be delivered.
const MEMORY: TimeDelta = TimeDelta::days(7);

const MEASURING: Duration = Duration::from_secs(5);
const HOUSEKEEPING: Duration = Duration::from_mins(1);
const AT_A_TIME: i64 = 5_000;

/// Tells the worker of this replica that there is something to deliver. It finds out by itself, only later.
/// Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Doorbell(Arc<Notify>);

impl Doorbell {
    /// There is something.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    async fn rung(&self) {
        self.0.notified().await;
    }
}

/// Measures what waits, until `stop`. Every replica measures the same table: take the maximum of theirs.
pub async fn measure(context: Context, stop: CancellationToken) {
    let count = gauge("webhooks_pending", "Deliveries that have to be made, later attempts included.");
    let oldest = gauge("webhooks_pending_oldest_seconds", "Age of the oldest event that is not delivered.");
    while !stop.is_cancelled() {
        match pending(&context).await {
            Ok(pending) => {
                #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                count.record(pending.count as f64, &[]);
                oldest.record(pending.oldest_seconds, &[]);
            }
            Err(error) => warn!(%error, "what waits for delivery is unknown"),
        }
        tokio::select! {
            () = tokio::time::sleep(MEASURING) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn pending(context: &Context) -> Result<webhook::Pending, Error> {
    Ok(webhook::pending(&mut *context.read().await?, context.clock().now()).await?)
}

/// Forgets old attempts and deliveries, until `stop`.
pub async fn forget_old(context: Context, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let before = context.clock().now() - MEMORY;
        let forgetting = async |pool: &Pool| {
            webhook::forget_old(&mut *pool.get().await?, before, AT_A_TIME).await.map_err(Error::from)
        };
        if let Err(error) = forgetting(context.pool()).await {
            warn!(%error, "old attempts of webhooks stay for now");
        }
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            () = stop.cancelled() => {}
        }
    }
}
