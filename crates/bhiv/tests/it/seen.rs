//! What is seen from outside of one flow: one waterfall of spans, and lines that say to which trace they belong.

use std::collections::{BTreeMap, BTreeSet};

use bhiv_testing::eventually;
use chrono::DateTime;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Client;
use serde_json::Value;

use crate::sink::{Sink, Span};
use crate::stack::Stack;

/// From the client's request through the gateway, the module and RabbitMQ to who reacts last.
pub async fn one_request_is_one_waterfall(sink: &Sink, trace: &str) {
    // Services send what they have every few seconds; whoever reacts to a reaction comes last.
    let spans = eventually(async || {
        let spans = sink.of(trace);
        is_whole(&spans).then_some(spans)
    })
    .await;
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    assert_eq!(by_id.len(), spans.len(), "no span comes twice");
    for span in &spans {
        assert!(span.begin > 0 && span.begin <= span.end, "{span:?}");
        let Some(above) = by_id.get(span.parent.as_str()) else { continue };
        assert!(above.begin <= span.begin, "{above:?} is after {span:?}");
        let (above_kind, across) = (above.kind, above.service != span.service);
        match span.kind {
            SpanKind::Server => assert_eq!(above.service, "bhiv-gateway", "only it asks modules: {span:?}"),
            SpanKind::Producer => assert!(!across, "each publishes its own: {above:?} {span:?}"),
            SpanKind::Consumer => assert_eq!(above_kind, SpanKind::Producer, "{above:?} {span:?}"),
            _ => {}
        }
    }
}

/// The gateway's span is the only one at the top, everybody who hears of a lead has one, and so has who hears of what
/// they did about it.
fn is_whole(spans: &[Span]) -> bool {
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
    let tops: Vec<_> = spans.iter().filter(|span| !ids.contains(&span.parent)).collect();
    let is_there = |service: &str, kind: SpanKind, name: &str| {
        spans.iter().any(|span| span.service == service && span.kind == kind && span.name.contains(name))
    };
    matches!(tops.as_slice(), [top] if top.service == "bhiv-gateway" && top.kind == SpanKind::Server)
        && is_there("crm", SpanKind::Server, "POST /crm/leads")
        && is_there("crm", SpanKind::Producer, "publish crm.lead.created.v1")
        && ["task", "rl", "compliance", "logging", "bhiv-gateway"]
            .iter()
            .all(|service| is_there(service, SpanKind::Consumer, "handle crm.lead.created.v1"))
        && is_there("rl", SpanKind::Producer, "publish rl.lead.scored.v1")
        && is_there("crm", SpanKind::Consumer, "handle rl.lead.scored.v1")
}

/// Whoever begins a trace decides whether it is kept.
pub async fn what_is_not_kept_has_no_spans(stack: &Stack, sink: &Sink) {
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/crm/leads", stack.url("crm"));
    let ask = async |trace: &str, flags: &str| {
        let traceparent = format!("00-{trace}-b7ad6b7169203331-{flags}");
        client.get(&url).header("traceparent", traceparent).send().await.unwrap().status()
    };
    let (not_kept, kept) = ("0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c");
    assert_eq!(ask(not_kept, "00").await, 401);
    assert_eq!(ask(kept, "01").await, 401);
    // What came later is there.
    eventually(async || (!sink.of(kept).is_empty()).then_some(())).await;
    assert!(sink.of(not_kept).is_empty());
}

/// In names of the Elastic Common Schema, one JSON text a line.
pub fn every_line_of_the_logs_has_its_names(stack: &Stack) {
    let mut counts = BTreeMap::new();
    for (service, text) in stack.logs() {
        for line in text.lines() {
            let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{service}: {line}"));
            let word = |name: &str| entry[name].as_str().unwrap_or_else(|| panic!("no {name} in {line}"));
            DateTime::parse_from_rfc3339(word("@timestamp")).unwrap();
            assert!(["error", "warn", "info", "debug"].contains(&word("log.level")), "{line}");
            assert_eq!(word("service.name"), service);
            assert!(!word("log.logger").is_empty());
            let message = word("message");
            if ["request", "handled"].contains(&message) {
                assert_eq!((word("trace.id").len(), word("span.id").len()), (32, 16), "{line}");
                *counts.entry((message.to_owned(), service.clone())).or_insert(0) += 1;
            }
            if message == "request" {
                assert!(!word("http.route").is_empty() && !word("http.request.id").is_empty(), "{line}");
                assert!(entry["event.duration_ms"].is_number(), "{line}");
            }
        }
    }
    let that_say = |message: &str| counts.keys().filter(|(said, _)| said == message).count();
    assert!(that_say("request") >= 3 && that_say("handled") >= 6, "{counts:?}");
}
