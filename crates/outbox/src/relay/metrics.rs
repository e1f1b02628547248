use std::collections::BTreeMap;
use std::time::Duration;

use bhiv_events::{Producer, catalog, public_name};
use bhiv_telemetry::metrics::{self, Counter, Histogram, KeyValue};

/// What operators see of the relay.
pub(super) struct Metrics {
    published: Counter<u64>,
    refused: Counter<u64>,
    confirm_seconds: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new(producer: Producer) -> Self {
        let metrics = Self {
            published: metrics::counter("outbox_published", "Events that the broker confirmed, by name."),
            refused: metrics::counter("outbox_refused", "Events that the broker returned or refused."),
            confirm_seconds: metrics::seconds(
                "outbox_confirm_seconds",
                "From sending a batch of events to its last confirm.",
            ),
        };
        // From the first on: a series that begins with 1 has not increased for Prometheus.
        for entry in catalog().into_iter().filter(|entry| entry.kind.producer == producer) {
            metrics.published.add(0, &[event(entry.kind.routing_key)]);
        }
        metrics.refused.add(0, &[]);
        metrics
    }

    /// Counts what has these routing keys.
    pub(super) fn published<'k>(&self, keys: impl IntoIterator<Item = &'k str>) {
        let mut counts = BTreeMap::new();
        for key in keys {
            *counts.entry(key).or_insert(0) += 1;
        }
        for (key, count) in counts {
            self.published.add(count, &[event(key)]);
        }
    }

    pub(super) fn refused(&self) {
        self.refused.add(1, &[]);
    }

    pub(super) fn batch(&self, took: Duration) {
        self.confirm_seconds.record(took.as_secs_f64(), &[]);
    }
}

/// An event by its public name; a message that is given up by what it is now.
fn event(routing_key: &str) -> KeyValue {
    let name = public_name(&format!("bhiv.{routing_key}"));
    KeyValue::new("event", name.unwrap_or_else(|| "dead_letter".to_owned()))
}
