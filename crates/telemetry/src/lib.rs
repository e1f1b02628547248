//! Logs, traces and metrics, set up once per process.
//!
//! - Logs are JSON lines on standard output with the names of the Elastic Common Schema and the trace id.
//! - Traces are kept in part (`TRACE_RATIO`, decided by the first service of a trace) and go out over OTLP.
//! - Metrics are OpenTelemetry's, rendered for Prometheus by [`metrics::render`].

mod logs;
pub mod metrics;
pub mod trace;

use std::io;
use std::time::Duration;

use bhiv_settings::Telemetry;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `RUST_LOG` is not a filter.
    #[error("RUST_LOG: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The OTLP exporter was refused.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The metrics could not be registered.
    #[error("metrics: {0}")]
    Metrics(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// It was set up before in this process.
    #[error("telemetry was set up twice: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps logs and traces flowing; flushes both when dropped.
#[derive(Debug)]
#[must_use = "dropping it ends logging"]
pub struct Guard {
    tracer: SdkTracerProvider,
    _logs: WorkerGuard,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.tracer.shutdown_with_timeout(Duration::from_secs(2)) {
            tracing::warn!(%error, "the last traces may be missing");
        }
    }
}

/// Sets up logs, traces and metrics for the process of `service`. What `OTEL_RESOURCE_ATTRIBUTES` adds, such as the
/// commit it was built from, is in its traces and in the metric `target_info`, as its version is.
///
/// # Errors
/// When a setting is malformed, or when it is called twice.
pub fn init(service: &'static str, version: &'static str, settings: &Telemetry) -> Result<Guard, Error> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(metrics::KeyValue::new("service.version", version))
        .build();
    trace::keep(settings.trace_ratio);
    // A scope decides whether a trace is kept; nothing but a trace that is has spans.
    let mut tracer = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_resource(resource.clone());
    if let Some(endpoint) = &settings.otlp_endpoint {
        let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        tracer =
            tracer.with_batch_exporter(SpanExporter::builder().with_http().with_endpoint(endpoint).build()?);
    }
    let tracer = tracer.build();
    metrics::init(resource)?;

    // Lines are written by a thread of their own; it drops none, so a full pipe slows the service down.
    let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(io::stdout());
    tracing_subscriber::registry()
        .with(settings.log.parse::<EnvFilter>()?)
        .with(tracing_opentelemetry::layer().with_tracer(tracer.tracer("bhiv")))
        .with(logs::layer(service, writer))
        .try_init()?;
    Ok(Guard { tracer, _logs: guard })
}
