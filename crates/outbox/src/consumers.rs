mod breaker;

use std::pin::pin;
use std::time::Duration;

use bhiv_broker::{Backoff, Connector, Deliveries, Delivery, Error, Pace, crash};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::inbox::Held;
use crate::{Outcome, Processor};
use breaker::Breaker;

/// Messages that share a transaction, at most.
const BATCH: usize = 200;

/// How long a batch waits for more messages.
const LINGER: Duration = Duration::from_millis(2);

/// How often parked messages are looked at.
const PARKED: Duration = Duration::from_secs(1);

/// Handling that takes longer than this is told of, each time.
const SLOW: Duration = Duration::from_secs(5);

/// A message that came back so often may be what kills the process.
const SUSPICIOUS: i64 = 3;

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
                careful: 0,
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
    /// Messages that are still to be taken one by one: what was sent ahead, when one of it was suspicious. Each time that
    /// the window is closed counts as one return more for all that was in it.
    careful: u16,
}

impl Subscription {
    async fn keep(mut self) {
        // One message first: whether the window may be opened depends on how often that one came back.
        let mut pace = Pace::Single;
        while !self.stop.is_cancelled() {
            match self.consume(pace).await {
                Ok(next) => pace = next,
                Err(error) => {
                    warn!(queue = self.queue, %error, "subscribing again");
                    pace = Pace::Single;
                    tokio::select! {
                        () = tokio::time::sleep(self.backoff.next_delay()) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Consumes until `stop`, or until it has to go on at the pace that is answered.
    async fn consume(&mut self, pace: Pace) -> Result<Pace, Ended> {
        let mut deliveries = tokio::select! {
            deliveries = Deliveries::open(&self.connector, &self.queue, pace) => deliveries?,
            () = self.stop.cancelled() => return Ok(pace),
        };
        info!(queue = self.queue, ?pace, "subscribed");
        let next = loop {
            let most = if self.breaker.is_open() { 1 } else { BATCH };
            let batch = tokio::select! {
                batch = deliveries.batch(most, LINGER) => batch?,
                () = self.stop.cancelled() => break pace,
            };
            let is_suspicious = batch.iter().any(|delivery| delivery.returns >= SUSPICIOUS);
            if is_suspicious && pace == Pace::Window {
                warn!(queue = self.queue, "messages came back {SUSPICIOUS} times: one by one from here");
                self.careful = Pace::Window.prefetch();
                break Pace::Single;
            }
            let Some(last) = batch.last().map(Delivery::tag) else { continue };
            let outcomes = self.take(batch).await?;
            crash::point("inbox.committed");
            // Only now: whatever is lost before this line comes again, and the inbox knows it.
            deliveries.ack_through(last).await?;
            self.backoff.reset();
            self.breaker.note(&outcomes);
            if pace == Pace::Single && !is_suspicious && self.careful == 0 {
                break Pace::Window;
            }
            self.careful = self.careful.saturating_sub(1);
            tokio::select! {
                () = self.breaker.pause() => {}
                () = self.stop.cancelled() => break pace,
            }
        };
        deliveries.close().await?;
        Ok(next)
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
