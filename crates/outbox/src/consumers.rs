use std::time::Duration;

use bhiv_broker::{Backoff, Connector, Deliveries, Error};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Processor;
use crate::inbox::Held;

/// Messages that share a transaction, at most.
const BATCH: usize = 200;

/// How long a batch waits for more messages.
const LINGER: Duration = Duration::from_millis(2);

/// How often parked messages are looked at.
const PARKED: Duration = Duration::from_secs(1);

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
            let (processor, connector) = (self.processor.clone(), self.connector.clone());
            tasks.spawn(keep_consuming(processor, connector, queue.name, stop.clone()));
        }
        tasks.spawn(retry_parked(self.processor.clone(), stop));
        tasks.join_all().await;
        self.connector.close().await;
    }
}

async fn keep_consuming(processor: Processor, connector: Connector, queue: String, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        match consume(&processor, &connector, &queue, &stop, &mut backoff).await {
            Ok(()) => return,
            Err(error) => warn!(queue, %error, "subscribing again"),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_delay()) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn consume(
    processor: &Processor,
    connector: &Connector,
    queue: &str,
    stop: &CancellationToken,
    backoff: &mut Backoff,
) -> Result<(), Ended> {
    let mut deliveries = tokio::select! {
        deliveries = Deliveries::open(connector, queue) => deliveries?,
        () = stop.cancelled() => return Ok(()),
    };
    info!(queue, "subscribed");
    loop {
        let batch = tokio::select! {
            batch = deliveries.batch(BATCH, LINGER) => batch?,
            () = stop.cancelled() => break,
        };
        let Some(last) = batch.last().map(bhiv_broker::Delivery::tag) else { continue };
        processor.take(queue, batch).await?;
        // Only now: whatever is lost before this line comes again, and the inbox knows it.
        deliveries.ack_through(last).await?;
        backoff.reset();
    }
    deliveries.close().await?;
    Ok(())
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
