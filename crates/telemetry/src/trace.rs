//! How a trace crosses process borders: W3C `traceparent`, in HTTP and in AMQP headers alike.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// Makes `span` a child of the trace that `traceparent` names. Anything malformed starts a trace of its own.
pub fn continue_from(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract(&carrier);
    // Refused only for a span that was entered or filtered out; such a span has no trace to continue.
    let _ = span.set_parent(parent);
}

/// The `traceparent` to send along with what the current span causes.
pub fn current() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&opentelemetry::Context::current(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Whether the current trace is one of those that are kept.
pub fn is_kept() -> bool {
    opentelemetry::Context::current().span().span_context().is_sampled()
}
