use std::time::{Duration, Instant};

use bhiv_telemetry::metrics::{Histogram, KeyValue, observed, seconds};
use diesel::connection::{Instrumentation, InstrumentationEvent};

use crate::Pool;

/// What operators see of a pool and of the database behind it.
#[derive(Clone)]
pub(crate) struct Metrics {
    wait: Histogram<f64>,
    query: Histogram<f64>,
    /// Which pool.
    labels: [KeyValue; 1],
}

impl Metrics {
    pub(crate) fn new(pool: &'static str) -> Self {
        Self {
            wait: seconds("db_pool_wait_seconds", "Waiting for a connection of the pool."),
            query: seconds("db_query_seconds", "Statements, commits among them, from sending to the answer."),
            labels: [KeyValue::new("pool", pool)],
        }
    }

    pub(crate) fn waited(&self, took: Duration) {
        self.wait.record(took.as_secs_f64(), &self.labels);
    }

    /// Has every scrape look at the pool, of at most `most` connections.
    pub(crate) fn watch(&self, pool: &Pool, most: usize) {
        let show = |name, description, read: fn(&Pool, usize) -> usize| {
            let pool = pool.clone();
            observed(name, description, self.labels.to_vec(), move || f64::from(count(read(&pool, most))));
        };
        show("db_pool_connections", "Connections that are open.", |pool, _| pool.in_use().0);
        show("db_pool_in_use", "Connections on loan.", |pool, _| pool.in_use().1);
        show("db_pool_max", "Connections that may be open.", |_, most| most);
    }

    /// Times the statements of one connection.
    pub(crate) fn stopwatch(&self) -> Stopwatch {
        Stopwatch { metrics: self.clone(), started: None }
    }
}

fn count(connections: usize) -> u32 {
    u32::try_from(connections).unwrap_or(u32::MAX)
}

/// One statement at a time: nothing here sends a second one before the first is answered.
pub(crate) struct Stopwatch {
    metrics: Metrics,
    started: Option<Instant>,
}

impl Instrumentation for Stopwatch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { .. } => self.started = Some(Instant::now()),
            InstrumentationEvent::FinishQuery { .. } => {
                if let Some(started) = self.started.take() {
                    self.metrics.query.record(started.elapsed().as_secs_f64(), &self.metrics.labels);
                }
            }
            _ => {}
        }
    }
}
