//! What a service needs at the broker, and declaring it.
//!
//! A topology follows from the service's bindings table. `<service> setup` declares it with an
//! administrator's credentials; the running service has no right to declare anything.

mod admin;

pub use admin::{Admin, AdminError, QueueState};

use std::collections::BTreeMap;

use bhiv_events::Producer;
use serde::{Deserialize, Serialize};

/// Where messages go that are given up on.
pub const DEAD_LETTER_EXCHANGE: &str = "bhiv.dlx";

/// Where operators put them back from; each queue is bound by its own name.
pub const REQUEUE_EXCHANGE: &str = "bhiv.requeue";

/// Exchange and queues of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// First word of the service's queue names and routing keys, for example `crm`.
    pub service: String,
    /// The topic exchange that it publishes to.
    pub exchange: String,
    /// A queue for each producer that it hears.
    pub queues: Vec<Queue>,
    /// Where its dead letters are kept.
    pub dead_letters: String,
}

/// The events of one producer, kept for one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// For example `crm.q.rl`.
    pub name: String,
    /// The producer's exchange.
    pub exchange: String,
    /// What is bound, for example `rl.lead.scored.v1`, or `#` for everything.
    pub routing_keys: Vec<String>,
}

impl Topology {
    /// The topology of `service`, which hears `bindings`: producers and routing keys.
    pub fn new<'a>(service: Producer, bindings: impl IntoIterator<Item = (Producer, &'a str)>) -> Self {
        let prefix = service.prefix();
        Self {
            service: prefix.to_owned(),
            exchange: service.exchange().to_owned(),
            queues: queues(prefix, "", bindings),
            dead_letters: format!("{prefix}.dlq"),
        }
    }

    /// Has `bindings` kept in queues of their own, for example `core.q.compliance.consent` for the lane
    /// `consent`: they do not wait behind what else these producers tell.
    #[must_use]
    pub fn with_lane<'a>(
        mut self,
        lane: &str,
        bindings: impl IntoIterator<Item = (Producer, &'a str)>,
    ) -> Self {
        self.queues.extend(queues(&self.service, &format!(".{lane}"), bindings));
        self
    }
}

/// One queue per producer.
fn queues<'a>(
    service: &str,
    suffix: &str,
    bindings: impl IntoIterator<Item = (Producer, &'a str)>,
) -> Vec<Queue> {
    let mut keys: BTreeMap<Producer, Vec<String>> = BTreeMap::new();
    for (producer, key) in bindings {
        keys.entry(producer).or_default().push(key.to_owned());
    }
    keys.into_iter()
        .map(|(producer, mut routing_keys)| {
            routing_keys.sort();
            routing_keys.dedup();
            Queue {
                name: format!("{service}.q.{}{suffix}", producer.prefix()),
                exchange: producer.exchange().to_owned(),
                routing_keys,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_queue_per_producer() {
        let topology = Topology::new(
            Producer::Task,
            [
                (Producer::Crm, "crm.lead.created.v1"),
                (Producer::Logistics, "logistics.delivery.delayed.v1"),
                (Producer::Crm, "crm.opportunity.won.v1"),
                (Producer::Crm, "crm.lead.created.v1"),
            ],
        );
        let queues: Vec<_> =
            topology.queues.iter().map(|queue| (queue.name.as_str(), queue.routing_keys.len())).collect();
        assert_eq!(queues, [("task.q.crm", 2), ("task.q.logistics", 1)]);
        assert_eq!(topology.dead_letters, "task.dlq");
    }
}
