//! Instruments and the Prometheus page.
//!
//! Names carry their unit (`_seconds`), durations are in seconds, and labels take few values: a route
//! pattern, never a path; an event's public name, never its id. What every request counts is bound to its labels once
//! ([`Counter::bind`]): to look them up each time took longer than anything else about counting.

use std::sync::OnceLock;

use opentelemetry::metrics::{AsyncInstrument, Meter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};

pub use opentelemetry::KeyValue;
pub use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Gauge, Histogram};

static REGISTRY: OnceLock<Registry> = OnceLock::new();

/// Bounds, in seconds, that resolve both a query of 1 ms and a request of 10 s.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

pub(crate) fn init(resource: Resource) -> Result<(), opentelemetry_sdk::error::OTelSdkError> {
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()?;
    // CPU, memory and open files, under the names that every Prometheus client gives them.
    if let Err(error) = registry.register(Box::new(ProcessCollector::for_self())) {
        tracing::warn!(%error, "the process does not measure itself");
    }
    let provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(resource).build();
    opentelemetry::global::set_meter_provider(provider);
    // A second call is refused by the subscriber; the first registry stays.
    let _ = REGISTRY.set(registry);
    Ok(())
}

fn meter() -> Meter {
    opentelemetry::global::meter("bhiv")
}

/// How often something happened. `name` ends in what is counted; `_total` is added.
pub fn counter(name: &'static str, description: &'static str) -> Counter<u64> {
    meter().u64_counter(name).with_description(description).build()
}

/// How long something took, in seconds. `name` ends in `_seconds`.
pub fn seconds(name: &'static str, description: &'static str) -> Histogram<f64> {
    meter().f64_histogram(name).with_description(description).with_boundaries(SECONDS.to_vec()).build()
}

/// A value that goes up and down.
pub fn gauge(name: &'static str, description: &'static str) -> Gauge<f64> {
    meter().f64_gauge(name).with_description(description).build()
}

/// A value that somebody else keeps: `read` is asked each time that the page is.
pub fn observed(
    name: &'static str,
    description: &'static str,
    labels: Vec<KeyValue>,
    read: impl Fn() -> f64 + Send + Sync + 'static,
) {
    let callback = move |observer: &dyn AsyncInstrument<f64>| observer.observe(read(), &labels);
    // It stays registered without its handle.
    let _ = meter().f64_observable_gauge(name).with_description(description).with_callback(callback).build();
}

/// The page that Prometheus reads, in its text format. Empty before telemetry is set up.
pub fn render() -> String {
    let Some(registry) = REGISTRY.get() else { return String::new() };
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap_or_else(|error| {
        tracing::error!(%error, "metrics cannot be rendered");
        String::new()
    })
}
