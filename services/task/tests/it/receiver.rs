//! Somebody outside whom workflows tell something.

use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
}

struct State {
    answers: Vec<u16>,
    received: Vec<Received>,
}

/// It answers with these statuses, one after the other, and then with the last one.
pub struct Receiver {
    state: Arc<Mutex<State>>,
    address: String,
    server: ServerHandle,
}

impl Receiver {
    pub async fn start(answers: &[u16]) -> Self {
        let state = Arc::new(Mutex::new(State { answers: answers.to_vec(), received: Vec::new() }));
        let shared = web::Data::from(Arc::clone(&state));
        let server =
            HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(receive)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0].to_string();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { state, address, server: handle }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let stopping = self.server.stop(false);
        tokio::spawn(stopping);
    }
}

async fn receive(request: HttpRequest, body: String, state: web::Data<Mutex<State>>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let mut state = state.lock().unwrap();
    let status = state.answers[state.received.len().min(state.answers.len() - 1)];
    state.received.push(Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        body,
    });
    HttpResponse::new(StatusCode::from_u16(status).unwrap())
}
