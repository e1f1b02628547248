//! A collector of the tests' own: it takes the spans that services send over OTLP, and keeps them.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;

/// What is kept of a span.
#[derive(Clone, Debug)]
pub struct Span {
    pub service: String,
    pub trace: String,
    pub id: String,
    /// Empty at the top of a trace.
    pub parent: String,
    pub name: String,
    pub kind: SpanKind,
    pub begin: u64,
    pub end: u64,
}

#[derive(Clone, Debug)]
pub struct Sink {
    pub url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Sink {
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sink = Self { url, spans: Arc::default() };
        let taken = sink.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                // A sender that is being stopped may go away in the middle.
                let _ = connection.and_then(|connection| taken.take(connection));
            }
        });
        sink
    }

    pub fn of(&self, trace: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().filter(|span| span.trace == trace).cloned().collect()
    }

    /// One request of a connection.
    fn take(&self, mut connection: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(connection.try_clone()?);
        let (mut head, mut length) = (String::new(), 0);
        while reader.read_line(&mut head)? > 2 {
            let line = head.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans(request));
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    }
}

fn spans(request: ExportTraceServiceRequest) -> impl Iterator<Item = Span> {
    request.resource_spans.into_iter().flat_map(|of_service| {
        let attributes = of_service.resource.unwrap_or_default().attributes;
        let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
        let service = match name.and_then(|name| name.value?.value) {
            Some(Value::StringValue(service)) => service,
            other => panic!("a service without a name: {other:?}"),
        };
        of_service.scope_spans.into_iter().flat_map(|scope| scope.spans).map(move |span| Span {
            service: service.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            name: span.name,
            begin: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
        })
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
