//! How a trace crosses process borders: W3C `traceparent`, in HTTP and in AMQP headers alike.

use std::sync::OnceLock;

use opentelemetry::Context;
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// Part of the traces that begin here which is kept.
static KEPT: OnceLock<f64> = OnceLock::new();

pub(crate) fn keep(ratio: f64) {
    // Telemetry that is set up twice is refused elsewhere.
    let _ = KEPT.set(ratio);
}

/// Where something happens in its trace. A trace that is not kept has ids, for logs and for what comes after, and
/// no spans: those cost more than many a request.
#[derive(Clone, Debug)]
pub struct Scope {
    span: Span,
    context: Option<Context>,
}

impl Scope {
    /// Part of the trace that `traceparent` names; of one of its own if that is absent or malformed. Of a trace that
    /// is kept, it is the span that `span` makes.
    pub fn new(traceparent: Option<&str>, span: impl FnOnce() -> Span) -> Self {
        let parent = TraceContextPropagator::new().extract(&Header(traceparent));
        let known = parent.span().span_context().clone();
        if known.is_valid() && !known.is_sampled() {
            return Self { span: Span::none(), context: Some(parent) };
        }
        if !known.is_valid() && !is_to_be_kept() {
            return Self { span: Span::none(), context: Some(unkept()) };
        }
        let span = span();
        if known.is_valid() {
            // Refused only for a span that was entered or filtered out; such a span has no trace to continue.
            let _ = span.set_parent(parent);
        }
        Self { span, context: None }
    }

    /// Where the caller is.
    pub fn current() -> Self {
        Self { span: Span::current(), context: Some(Context::current()) }
    }

    /// The span; of a trace that is not kept, one that takes nothing.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Waits for `future`, there.
    pub async fn around<F: Future>(self, future: F) -> F::Output {
        match self.context {
            Some(context) => future.with_context(context).instrument(self.span).await,
            None => future.instrument(self.span).await,
        }
    }

    /// Does `work` there.
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(|| {
            let _here = self.context.map(Context::attach);
            work()
        })
    }
}

/// The only header that there is.
struct Header<'a>(Option<&'a str>);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.filter(|_| key == TRACEPARENT)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.map(|_| TRACEPARENT).into_iter().collect()
    }
}

/// By chance, as often as is asked for: whoever comes later follows.
fn is_to_be_kept() -> bool {
    let ratio = KEPT.get().copied().unwrap_or(1.0);
    // Spares the generator where it decides nothing.
    ratio >= 1.0 || (ratio > 0.0 && chance() < ratio)
}

/// 0 to 1, without 1.
fn chance() -> f64 {
    let [.., a, b, c, d] = RandomIdGenerator::default().new_trace_id().to_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

/// A trace that begins here and is not kept.
fn unkept() -> Context {
    let ids = RandomIdGenerator::default();
    let flags = TraceFlags::NOT_SAMPLED;
    let context = SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, true, TraceState::NONE);
    Context::new().with_remote_span_context(context)
}

/// The `traceparent` to send along with what is done here.
pub fn current() -> Option<String> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let flags = span.trace_flags() & TraceFlags::SAMPLED;
        span.is_valid().then(|| {
            let mut text = String::with_capacity(55);
            text.push_str("00-");
            push_hex(&mut text, &span.trace_id().to_bytes());
            text.push('-');
            push_hex(&mut text, &span.span_id().to_bytes());
            text.push('-');
            push_hex(&mut text, &[flags.to_u8()]);
            text
        })
    })
}

/// Every request and message asks for it: formatted, its numbers took three times as long.
fn push_hex(text: &mut String, bytes: &[u8]) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
}

/// Names the current span of a trace that is kept, when what it is called is known only after it began.
pub fn rename(name: String) {
    Context::map_current(|context| context.span().update_name(name));
}

/// Whether the trace that `traceparent` names is one of those that are kept.
pub fn is_kept_by(traceparent: &str) -> bool {
    let context = TraceContextPropagator::new().extract(&Header(Some(traceparent)));
    context.span().span_context().is_sampled()
}

/// Whether the current trace is one of those that are kept.
pub fn is_kept() -> bool {
    Context::map_current(|context| context.span().span_context().is_sampled())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_KEPT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    fn span() -> Span {
        panic!("nobody keeps it")
    }

    /// Whoever comes later in a trace that is not kept must not keep a part of it.
    #[test]
    fn a_trace_that_is_not_kept_goes_on_without_spans() {
        let scope = Scope::new(Some(NOT_KEPT), span);
        assert_eq!(scope.run(|| (current(), is_kept())), (Some(NOT_KEPT.to_owned()), false));
        assert_eq!(current(), None);
    }

    /// A command that is run by another task is part of the trace of who asked for it.
    #[tokio::test]
    async fn a_scope_goes_along_to_another_task() {
        let there = Scope::new(Some(NOT_KEPT), span).around(async { Scope::current() }).await;
        let seen = tokio::spawn(there.around(async {
            tokio::task::yield_now().await;
            current()
        }));
        assert_eq!(seen.await.unwrap(), Some(NOT_KEPT.to_owned()));
    }

    #[test]
    fn what_begins_without_being_kept_has_a_trace_of_its_own() {
        let of = || Scope { span: Span::none(), context: Some(unkept()) }.run(current).unwrap();
        let (one, other) = (of(), of());
        assert_ne!(one, other);
        let again = Scope::new(Some(&one), span).run(current);
        assert_eq!(again, Some(one));
    }

    #[test]
    fn chance_is_between_none_and_all() {
        let chances: Vec<_> = (0..1_000).map(|_| chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
        // Ten standard deviations.
        let mean = chances.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.1, "{mean}");
    }
}
