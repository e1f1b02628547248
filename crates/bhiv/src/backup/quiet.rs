use std::time::Duration;

use bhiv_broker::topology::{Admin, QueueState};
use bhiv_broker::{Connector, Deliveries, Delivery, Pace};
use tokio::time::{Instant, timeout};

/// RabbitMQ's figures are at most so old: a queue counts every 5 s, and the management plugin gathers every 5 s.
const AGE: Duration = Duration::from_secs(11);

/// A queue sends the next message within this time, if it has one.
const NEXT: Duration = Duration::from_secs(2);

/// A message and the queue that it lies in.
pub(super) struct Lying {
    pub queue: String,
    pub delivery: Delivery,
}

/// Waits until all that was published has arrived, as nothing more is published. Answers what lies in queues that nobody
/// consumes, and the subscriptions that keep others away from it.
pub(super) async fn wait(
    admin: &Admin,
    connector: &Connector,
    patience: Duration,
) -> Result<(Vec<Deliveries>, Vec<Lying>), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let until = began + patience.max(AGE);
    // Before that the figures may be of a time when something was still published.
    tokio::time::sleep(AGE).await;
    loop {
        let busy = match look(&admin.queues().await?) {
            Ok(lying) => match read(connector, lying).await? {
                Ok(read) => return Ok(read),
                Err(busy) => busy,
            },
            Err(busy) => busy,
        };
        if Instant::now() > until {
            return Err(format!("{busy} after {patience:?}; its consumer is too slow, or hangs").into());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The queues in which messages lie that nobody consumes; or which one still has to be waited for.
fn look(queues: &[QueueState]) -> Result<Vec<&QueueState>, String> {
    let ours =
        queues.iter().filter(|queue| queue.name.contains(".q.") || queue.name.strip_suffix(".dlq").is_some());
    let mut lying = Vec::new();
    for queue in ours {
        let QueueState { name, messages_ready, messages_unacknowledged, consumers } = queue;
        if *messages_ready == 0 && *messages_unacknowledged == 0 {
            continue;
        }
        if *consumers > 0 || *messages_unacknowledged > 0 {
            return Err(format!("{name} has {} messages", messages_ready + messages_unacknowledged));
        }
        if *messages_ready > u64::from(u16::MAX) {
            return Err(format!("{name} has {messages_ready} messages and no consumer"));
        }
        lying.push(queue);
    }
    Ok(lying)
}

/// Reads them without taking them out. Where there are fewer than there should be, somebody has begun to consume.
async fn read(
    connector: &Connector,
    lying: Vec<&QueueState>,
) -> Result<Result<(Vec<Deliveries>, Vec<Lying>), String>, Box<dyn std::error::Error>> {
    let (mut queues, mut all) = (Vec::new(), Vec::new());
    for QueueState { name, messages_ready, .. } in lying {
        let wanted = usize::try_from(*messages_ready)?;
        let mut deliveries = Deliveries::open(connector, name, Pace::Whole).await?;
        let mut messages = Vec::new();
        while let Ok(more) = timeout(NEXT, deliveries.batch(1_000, Duration::from_millis(20))).await {
            messages.extend(more?);
            if messages.len() >= wanted {
                break;
            }
        }
        if messages.len() < wanted {
            return Ok(Err(format!("{name} has {} of {wanted} messages", messages.len())));
        }
        all.extend(messages.into_iter().map(|delivery| Lying { queue: name.clone(), delivery }));
        queues.push(deliveries);
    }
    Ok(Ok((queues, all)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, ready: u64, unacknowledged: u64, consumers: u64) -> QueueState {
        QueueState {
            name: name.to_owned(),
            messages_ready: ready,
            messages_unacknowledged: unacknowledged,
            consumers,
        }
    }

    #[test]
    fn what_a_consumer_has_is_waited_for_and_what_nobody_has_is_read() {
        let lies = queue("task.q.crm", 3, 0, 0);
        let letters = queue("crm.dlq", 1, 0, 0);
        let empty = queue("rl.q.crm", 0, 0, 1);
        let queues = [lies.clone(), letters.clone(), empty.clone()];
        let read = look(&queues).unwrap();
        assert_eq!(read, [&lies, &letters]);
        assert!(look(&[lies, queue("rl.q.crm", 0, 1, 1)]).unwrap_err().contains("rl.q.crm has 1"));
        assert!(look(&[queue("rl.q.crm", 2, 0, 1)]).is_err());
        assert!(look(&[queue("rl.q.crm", 70_000, 0, 0)]).unwrap_err().contains("no consumer"));
        assert!(look(&[queue("somebody's own", 9, 9, 1), empty]).unwrap().is_empty());
    }
}
