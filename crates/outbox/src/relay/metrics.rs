use std::time::Duration;

use bhiv_telemetry::metrics::{self, Counter, Histogram};

/// What operators see of the relay.
pub(super) struct Metrics {
    published: Counter<u64>,
    refused: Counter<u64>,
    confirm_seconds: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            published: metrics::counter("outbox_published", "Events that the broker confirmed."),
            refused: metrics::counter("outbox_refused", "Events that the broker returned or refused."),
            confirm_seconds: metrics::seconds(
                "outbox_confirm_seconds",
                "From sending a batch of events to its last confirm.",
            ),
        };
        // From the first on: a series that begins with 1 has not increased for Prometheus.
        metrics.published.add(0, &[]);
        metrics.refused.add(0, &[]);
        metrics
    }

    pub(super) fn published(&self, events: usize) {
        self.published.add(events as u64, &[]);
    }

    pub(super) fn refused(&self) {
        self.refused.add(1, &[]);
    }

    pub(super) fn batch(&self, took: Duration) {
        self.confirm_seconds.record(took.as_secs_f64(), &[]);
    }
}
