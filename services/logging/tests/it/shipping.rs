//! Shipping, against a server that speaks Elasticsearch's bulk protocol and fails as told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event};
use bhiv_testing::TestApp;
use logging::{Config, Logging};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    TooMany,
    ServerError,
    TooLarge,
    /// The connection ends after the entries were taken, before it is said.
    Cut,
    /// Every other entry is not taken now.
    Half,
    /// An answer that is no answer.
    Nonsense,
    /// The first entry can never be taken.
    Unfit,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    documents: HashMap<String, (String, Value)>,
    requests: usize,
    repeated: usize,
}

/// A server of the bulk protocol.
#[derive(Clone)]
struct Server {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    async fn start(faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { faults: faults.iter().copied().collect(), ..State::default() };
        let server = Self { url, state: Arc::new(Mutex::new(state)) };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = serving.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        server
    }

    /// Requests of one connection; a client that goes away ends it.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let (head, body) = request(&mut stream).await?;
            assert!(head.starts_with("POST /_bulk "), "{head}");
            assert!(head.to_lowercase().contains("content-type: application/x-ndjson"), "{head}");
            let (status, answer) = self.answer(&body)?;
            let text = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
            stream.write_all(text.as_bytes()).await.ok()?;
        }
    }

    /// None cuts the connection.
    fn answer(&self, body: &str) -> Option<(&'static str, String)> {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        let fault = state.faults.pop_front();
        match fault {
            Some(Fault::TooMany) => return Some(("429 Too Many Requests", "{}".to_owned())),
            Some(Fault::ServerError) => return Some(("503 Service Unavailable", "{}".to_owned())),
            Some(Fault::TooLarge) => return Some(("413 Payload Too Large", "{}".to_owned())),
            _ => {}
        }
        let lines: Vec<&str> = body.lines().collect();
        let mut items = Vec::new();
        for (number, pair) in lines.chunks(2).enumerate() {
            let action: Value = serde_json::from_str(pair[0]).unwrap();
            let document: Value = serde_json::from_str(pair[1]).unwrap();
            let id = action["create"]["_id"].as_str().unwrap().to_owned();
            let index = action["create"]["_index"].as_str().unwrap().to_owned();
            let status = match fault {
                Some(Fault::Half) if number % 2 == 0 => 429,
                Some(Fault::Unfit) if number == 0 => 400,
                _ if state.documents.contains_key(&id) => {
                    state.repeated += 1;
                    409
                }
                _ => {
                    state.documents.insert(id.clone(), (index, document));
                    201
                }
            };
            let mut item = json!({"create": {"_id": id, "status": status}});
            if status >= 400 {
                item["create"]["error"] = json!({"type": "some_exception", "reason": "because"});
            }
            items.push(item);
        }
        match fault {
            Some(Fault::Cut) => None,
            Some(Fault::Nonsense) => Some(("200 OK", "<html>".to_owned())),
            _ => Some(("200 OK", json!({"errors": false, "items": items}).to_string())),
        }
    }

    fn documents(&self) -> usize {
        self.state.lock().unwrap().documents.len()
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let length: usize = length.unwrap();
            if body.len() >= length {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        let mut part = vec![0; 16_384];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
    }
}

fn config(server: &Server) -> Config {
    Config { elasticsearch_url: Some(server.url.clone()), ship_ms: 20, ..Config::default() }
}

async fn leads(app: &TestApp, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..count {
        let event = app.event(&LeadCreated::sample());
        app.deliver_twice(&event).await;
        events.push(event);
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_shipped_in_the_words_of_ecs_without_what_is_personal() {
    let server = Server::start(&[]).await;
    let app = TestApp::start::<Logging>(config(&server)).await;
    let events = leads(&app, 3).await;
    app.eventually(async || (server.documents() == 3).then_some(())).await;
    let id = events[0].id.to_string();
    let (index, document) = server.state.lock().unwrap().documents[&id].clone();
    assert_eq!(index, "bhiv-logs-2026.01");
    assert_eq!((&document["@timestamp"], &document["event"]["id"]), (&json!(events[0].time), &json!(id)));
    assert_eq!(
        (&document["event"]["action"], &document["service"]["name"]),
        (&json!("lead_created"), &json!("crm"))
    );
    assert_eq!(document["bhiv"]["correlation_id"], json!(events[0].correlationid));
    let name = LeadCreated::sample().name;
    assert!(!document.to_string().contains(&name), "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_every_entry_is_there_once() {
    let faults = [
        Fault::TooMany,
        Fault::Cut,
        Fault::ServerError,
        Fault::Half,
        Fault::Nonsense,
        Fault::TooLarge,
        Fault::Half,
    ];
    let server = Server::start(&faults).await;
    let app = TestApp::start::<Logging>(config(&server)).await;
    let events = leads(&app, 20).await;
    app.eventually(async || {
        let is_over = server.state.lock().unwrap().faults.is_empty();
        (is_over && server.documents() == 20).then_some(())
    })
    .await;
    let state = server.state.lock().unwrap();
    assert!(events.iter().all(|event| state.documents.contains_key(&event.id.to_string())));
    assert!(state.repeated > 0, "what was taken before the connection was cut came again, and is there once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_taken_holds_up_nothing() {
    let server = Server::start(&[Fault::Unfit]).await;
    let app = TestApp::start::<Logging>(Config { ship_ms: 20, ..config(&server) }).await;
    leads(&app, 4).await;
    app.eventually(async || (server.documents() == 3).then_some(())).await;
    let requests = server.state.lock().unwrap().requests;
    let more = leads(&app, 1).await;
    app.eventually(async || {
        server.state.lock().unwrap().documents.contains_key(&more[0].id.to_string()).then_some(())
    })
    .await;
    assert_eq!(server.documents(), 4);
    assert!(server.state.lock().unwrap().requests > requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_goes_on_where_another_one_ended() {
    let server = Server::start(&[]).await;
    let app = TestApp::start::<Logging>(config(&server)).await;
    let replica = TestApp::replica_of::<Logging>(&app, |_| config(&server));
    leads(&app, 5).await;
    app.eventually(async || (server.documents() == 5).then_some(())).await;
    // Whoever ships ends; after its lease the other one does.
    app.context.stopping().cancel();
    app.clock.advance(chrono::TimeDelta::minutes(1));
    leads(&replica, 5).await;
    app.eventually(async || (server.documents() == 10).then_some(())).await;
}
