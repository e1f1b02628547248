use std::time::Duration;

use bhiv_events::Event;
use bhiv_telemetry::metrics::{self, Counter, Histogram, KeyValue};

use chrono::{DateTime, Utc};

use super::Outcome;

/// Every class that a dead letter can have, apart from `limit`, which is RabbitMQ's.
const CLASSES: [&str; 8] =
    ["undecodable", "schema", "too-old", "rejected", "later", "panic", "early", "database"];

/// What operators see of the inbox.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    messages: Counter<u64>,
    dead_letters: Counter<u64>,
    batch_seconds: Histogram<f64>,
    event_seconds: Histogram<f64>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            messages: metrics::counter("inbox_messages", "Messages, by consumer and by what became of them."),
            dead_letters: metrics::counter("inbox_dead_letters", "Messages given up, by class of error."),
            batch_seconds: metrics::seconds(
                "inbox_batch_seconds",
                "From the begin to the commit of a transaction that handled messages.",
            ),
            event_seconds: metrics::seconds(
                "inbox_event_seconds",
                "From what happened to the commit of what a consumer did about it.",
            ),
        };
        // From the first on: a series that begins with 1 has not increased for Prometheus.
        for class in CLASSES {
            metrics.dead_letters.add(0, &[KeyValue::new("class", class)]);
        }
        metrics
    }

    pub(super) fn outcome(&self, consumer: &str, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Repeated => "repeated",
            Outcome::Stale => "stale",
            Outcome::Early(_) => "early",
            Outcome::Parked(_) => "parked",
            Outcome::Dead(_) => "dead",
        };
        let labels = [KeyValue::new("consumer", consumer.to_owned()), KeyValue::new("outcome", outcome)];
        self.messages.add(1, &labels);
    }

    /// A consumer has done at `now` what it does about `event`.
    pub(super) fn done(&self, consumer: &'static str, event: &Event, now: DateTime<Utc>) {
        // Clocks may disagree by a little.
        let took = (now - event.time).to_std().unwrap_or_default();
        let labels = [KeyValue::new("consumer", consumer), KeyValue::new("event", event.name())];
        self.event_seconds.record(took.as_secs_f64(), &labels);
    }

    pub(super) fn dead_letter(&self, class: &'static str) {
        self.dead_letters.add(1, &[KeyValue::new("class", class)]);
    }

    pub(super) fn batch(&self, took: Duration) {
        self.batch_seconds.record(took.as_secs_f64(), &[]);
    }
}
