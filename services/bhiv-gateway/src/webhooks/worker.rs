use std::collections::HashMap;
use std::time::{Duration, Instant};

use bhiv_db::Error;
use bhiv_service::Context;
use bhiv_telemetry::metrics::{Counter, KeyValue, counter};
use bhiv_webhook::{Parcel, Sender, judge};
use chrono::TimeDelta;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::Doorbell;
use crate::commands::record_attempt::RecordAttempt;
use crate::config::WebhookSettings;
use crate::domain::visible::viewer;
use crate::store::webhook::{self, Due, Room};
use crate::visible::Visible;

/// How often the table is looked at when nobody tells of news.
const POLL: Duration = Duration::from_millis(500);

/// What is under way when the process stops gets this long; what is cut off is sent again by somebody.
const DRAIN: Duration = Duration::from_secs(10);

/// Beyond the time that a receiver has to answer in, a delivery belongs to who took it up for so long.
const LEASE: TimeDelta = TimeDelta::seconds(45);

/// What it takes to make deliveries.
struct Worker {
    context: Context,
    sender: Sender,
    visible: Visible,
    settings: WebhookSettings,
    attempts: Counter<u64>,
}

/// Makes deliveries as they become due, until `stop`.
pub async fn deliver(
    context: Context,
    sender: Sender,
    visible: Visible,
    settings: WebhookSettings,
    doorbell: Doorbell,
    stop: CancellationToken,
) {
    let attempts = counter("webhook_attempts", "Attempts to deliver an event, by what came of them.");
    let worker = Worker { context, sender, visible, settings, attempts };
    let mut under_way = FuturesUnordered::new();
    let mut busy: HashMap<Uuid, i64> = HashMap::new();
    while !stop.is_cancelled() {
        match worker.take(under_way.len(), &busy).await {
            Ok(taken) => {
                for due in taken {
                    *busy.entry(due.subscription_id).or_default() += 1;
                    under_way.push(worker.attempt(due));
                }
            }
            Err(error) => warn!(%error, "webhooks have to wait"),
        }
        tokio::select! {
            Some(done) = under_way.next() => {
                forget(&mut busy, done);
                while let Some(Some(done)) = under_way.next().now_or_never() {
                    forget(&mut busy, done);
                }
            }
            () = doorbell.rung() => {}
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => {}
        }
    }
    let finishing = async { while under_way.next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, finishing).await.is_err() {
        warn!("webhooks were cut off; they are sent again");
    }
}

fn forget(busy: &mut HashMap<Uuid, i64>, done: Uuid) {
    if let Some(count) = busy.get_mut(&done) {
        *count -= 1;
        if *count == 0 {
            busy.remove(&done);
        }
    }
}

impl Worker {
    async fn take(&self, under_way: usize, busy: &HashMap<Uuid, i64>) -> Result<Vec<Due>, Error> {
        let free = self.settings.webhook_concurrency.saturating_sub(under_way);
        // What may be sent must be known, or it would be left out.
        if free == 0 || !self.visible.is_known() {
            return Ok(Vec::new());
        }
        let room = Room {
            free: i64::try_from(free).unwrap_or(i64::MAX),
            each: self.settings.webhook_concurrency_each,
            busy: busy.iter().map(|(id, count)| (*id, *count)).collect(),
        };
        let timeout = i64::try_from(self.settings.sending.webhook_timeout_ms).unwrap_or(i64::MAX);
        let now = self.context.clock().now();
        let until = now + TimeDelta::try_milliseconds(timeout).unwrap_or_default() + LEASE;
        Ok(webhook::take(&mut *self.context.read().await?, room, now, until).await?)
    }

    /// Makes a delivery and notes what came of it; answers whose it was. What cannot be noted is sent again.
    async fn attempt(&self, due: Due) -> Uuid {
        let (at, began) = (self.context.clock().now(), Instant::now());
        let patience = TimeDelta::days(i64::from(self.settings.webhook_disable_after_days));
        let mut record = RecordAttempt {
            subscription_id: due.subscription_id,
            event_id: due.event_id,
            event_type: due.event_type.clone(),
            attempt: due.attempt,
            verdict: None,
            status: None,
            error: None,
            duration_ms: 0,
            at,
            patience,
        };
        let viewer = viewer(&due.owner, due.user_id, due.team.as_deref(), &due.roles, due.scope.as_deref());
        if self.visible.may_see(&viewer, &due.module, &due.event) {
            let mut secrets = vec![due.secret.as_str()];
            secrets.extend(due.old_secret.as_deref());
            let parcel = Parcel {
                url: &due.callback_url,
                id: due.event_id,
                content_type: "application/cloudevents+json",
                body: due.event.to_string(),
                secrets: &secrets,
            };
            let answer = self.sender.send(parcel, at).await;
            let chance = self.context.clock().chance();
            let verdict = judge(due.attempt, answer.status, answer.retry_after, chance);
            record.verdict = Some(verdict);
            record.status = answer.status;
            record.error = answer.error;
            record.duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            self.attempts.add(1, &[KeyValue::new("outcome", verdict.name())]);
        }
        if let Err(error) = self.context.run(RecordAttempt::origin(), record).await {
            warn!(?error, "an attempt of a webhook is not noted");
        }
        due.subscription_id
    }
}
