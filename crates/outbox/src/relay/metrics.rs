use std::time::Duration;

use bhiv_telemetry::metrics::{self, Counter, Gauge, Histogram};

use super::rows::Backlog;

/// What operators see of the relay.
pub(super) struct Metrics {
    published: Counter<u64>,
    refused: Counter<u64>,
    confirm_seconds: Histogram<f64>,
    waiting: Gauge<f64>,
    parked: Gauge<f64>,
    oldest_seconds: Gauge<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            published: metrics::counter("outbox_published", "Events that the broker confirmed."),
            refused: metrics::counter("outbox_refused", "Events that the broker returned or refused."),
            confirm_seconds: metrics::seconds(
                "outbox_confirm_seconds",
                "From sending a batch of events to its last confirm.",
            ),
            waiting: metrics::gauge("outbox_waiting", "Events that are not published yet."),
            parked: metrics::gauge(
                "outbox_parked",
                "Events that the broker refused and that are tried again.",
            ),
            oldest_seconds: metrics::gauge("outbox_oldest_seconds", "Age of the oldest event that waits."),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    pub(super) fn backlog(&self, backlog: Backlog) {
        self.waiting.record(backlog.waiting as f64, &[]);
        self.parked.record(backlog.parked as f64, &[]);
        self.oldest_seconds.record(backlog.oldest_seconds, &[]);
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
