mod breaker;
mod pacing;

use std::pin::pin;
use std::time::Duration;

use bhiv_broker::{Backoff, Connector, Deliveries, Delivery, Error, crash};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::inbox::Held;
use crate::{Outcome, Processor};
use breaker::Breaker;
use pacing::{Pacing, SUSPICIOUS};

/// Messages that share a transaction, at most.
const BATCH: usize = 200;

/// How long a batch waits for more messages.
const LINGER: Duration = Duration::from_millis(2);

/// How often parked messages are looked at.
const PARKED: Duration = Duration::from_secs(1);

/// Handling that takes longer than this is told of, each time.
const SLOW: Duration = Duration::from_secs(5);

/// The queues of one service and their handlers.
#[derive(Debug)]
pub struct Consumers {
    processor: Processor,
    connector: Connector,
}

/// Why a queue's subscription ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Broker(#[from] Error),
    #[error(transparent)]
    Held(#[from] Held),
}

impl Consumers {
    /// Consumes over `connector`, a connection that publishes nothing.
    pub fn new(processor: Processor, connector: Connector) -> Self {
        Self { processor, connector }
    }

    /// Runs until `stop`; then finishes and acknowledges what was begun.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for queue in self.processor.bindings().topology().queues {
            let subscription = Subscription {
                processor: self.processor.clone(),
                connector: self.connector.clone(),
                queue: queue.name,
                stop: stop.clone(),
                backoff: Backoff::reconnect(),
                breaker: Breaker::default(),
                pacing: Pacing::new(),
            };
            tasks.spawn(subscription.keep());
        }
        tasks.spawn(retry_parked(self.processor.clone(), stop));
        tasks.join_all().await;
        self.connector.close().await;
    }
}

/// One queue, for as long as the process lives.
struct Subscription {
    processor: Processor,
    connector: Connector,
    queue: String,
    stop: CancellationToken,
    backoff: Backoff,
    breaker: Breaker,
    pacing: Pacing,
}

impl Subscription {
    async fn keep(mut self) {
        while !self.stop.is_cancelled() {
            if let Err(error) = self.consume().await {
                warn!(queue = self.queue, %error, "subscribing again");
                self.pacing.broke();
                tokio::select! {
                    () = tokio::time::sleep(self.backoff.next_delay()) => {}
                    () = self.stop.cancelled() => {}
                }
            }
        }
    }

    /// Consumes until `stop`, or until it has to go on at another pace.
    async fn consume(&mut self) -> Result<(), Ended> {
        let pace = self.pacing.pace();
        let mut deliveries = tokio::select! {
            deliveries = Deliveries::open(&self.connector, &self.queue, pace) => deliveries?,
            () = self.stop.cancelled() => return Ok(()),
        };
        info!(queue = self.queue, ?pace, "subscribed");
        loop {
            let most = if self.breaker.is_open() { 1 } else { BATCH };
            let batch = tokio::select! {
                batch = deliveries.batch(most, LINGER) => batch?,
                () = self.stop.cancelled() => break,
            };
            let Some(last) = batch.last().map(Delivery::tag) else { continue };
            let returns = batch.iter().map(|delivery| delivery.returns).max().unwrap_or_default();
            if !self.pacing.admits(returns) {
                warn!(queue = self.queue, "messages came back {SUSPICIOUS} times: one by one from here");
                break;
            }
            let outcomes = self.take(batch).await?;
            crash::point("inbox.committed");
            // Only now: whatever is lost before this line comes again, and the inbox knows it.
            deliveries.ack_through(last).await?;
            self.backoff.reset();
            self.breaker.note(&outcomes);
            if self.pacing.handled(returns) {
                break;
            }
            tokio::select! {
                () = self.breaker.pause() => {}
                () = self.stop.cancelled() => break,
            }
        }
        deliveries.close().await?;
        Ok(())
    }

    /// Handles a batch, and says so while that takes long: a service that is to end waits for it.
    async fn take(&self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, Held> {
        let messages = batch.len();
        let mut taking = pin!(self.processor.take(&self.queue, batch));
        loop {
            if let Ok(outcomes) = tokio::time::timeout(SLOW, &mut taking).await {
                return outcomes;
            }
            warn!(queue = self.queue, messages, "still handling what came at once");
        }
    }
}

/// In every replica: each takes what no other has locked.
async fn retry_parked(processor: Processor, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = processor.retry_parked().await {
            warn!(%error, "parked messages have to wait");
        }
        tokio::select! {
            () = tokio::time::sleep(PARKED) => {}
            () = stop.cancelled() => {}
        }
    }
}
