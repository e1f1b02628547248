//! Traces go out over OTLP when an endpoint is configured.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use bhiv_settings::Telemetry;
use bhiv_telemetry::trace::Scope;

/// One request as a collector gets it: the head, and the body (protobuf).
fn receive(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..read]);
        let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else {
            assert_ne!(read, 0, "the request ended in its head");
            continue;
        };
        let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap();
        if request.len() >= end + 4 + length {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            return (head, request.split_off(end + 4));
        }
        assert_ne!(read, 0, "the request ended in its body");
    }
}

fn has(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_reaches_the_collector_with_its_service_and_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let (sent, received) = mpsc::channel();
    std::thread::spawn(move || sent.send(receive(&listener)));

    let settings = Telemetry { otlp_endpoint: Some(endpoint), trace_ratio: 0.0, log: "info".to_owned() };
    let telemetry = bhiv_telemetry::init("parcel-office", "7.0.1", &settings).unwrap();
    // Whoever asks wants it to be kept.
    let kept = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    Scope::new(Some(kept), || tracing::info_span!("stamp a letter")).run(|| tracing::info!("stamped"));
    // Of what begins here none is.
    Scope::new(None, || tracing::info_span!("weigh a parcel")).run(|| tracing::info!("weighed"));
    tokio::task::spawn_blocking(move || drop(telemetry)).await.unwrap();

    let (head, body) = received.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(head.starts_with("post /v1/traces "), "{head}");
    for text in ["parcel-office", "7.0.1", "stamp a letter"] {
        assert!(has(&body, text), "no '{text}' in the body");
    }
    assert!(!has(&body, "weigh a parcel"), "a part of none is none");
}
