//! The relay's part of the traces that are kept: from reading an event to the broker's word on it.

use bhiv_broker::Message;
use bhiv_telemetry::trace::{self, Scope, TRACEPARENT};
use tracing::{Span, info_span};

/// A span for each message whose trace is kept, which ends when it is dropped. Whoever gets the message goes on there.
pub(super) fn of(messages: &mut [Message]) -> Vec<Span> {
    messages.iter_mut().filter_map(begin).collect()
}

fn begin(message: &mut Message) -> Option<Span> {
    let traceparent = message.headers.get_mut(TRACEPARENT)?;
    if !trace::is_kept_by(traceparent) {
        return None;
    }
    let (key, exchange) = (message.routing_key.as_str(), message.exchange.as_str());
    let scope = Scope::new(Some(traceparent), || {
        info_span!(
            "publish",
            otel.name = format!("publish {key}"),
            otel.kind = "producer",
            messaging.system = "rabbitmq",
            messaging.destination.name = exchange,
            messaging.message.id = %message.id,
        )
    });
    let span = scope.span().clone();
    if let Some(here) = scope.run(trace::current) {
        *traceparent = here;
    }
    Some(span)
}
