//! Somebody who receives webhooks.

use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of the signatures is that of the reference implementation with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        let at = self.header("webhook-timestamp").parse().unwrap();
        let expected = webhook.sign(self.header("webhook-id"), at, &self.body).unwrap();
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// `/ok` accepts, `/status/<code>` answers with that, `/never` does not answer, `/not-at-first` only the second time,
/// `/redirect` points to `/ok`, `/busy` wants to be left alone for ten minutes at first.
pub struct Receiver {
    pub url: String,
    received: Data<Mutex<Vec<Received>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let received: Data<Mutex<Vec<Received>>> = Data::from(Arc::new(Mutex::default()));
        let shared = received.clone();
        let server =
            HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(answer)))
                .workers(1)
                .disable_signals()
                .shutdown_timeout(0)
                .bind("127.0.0.1:0")
                .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, received }
    }

    /// What arrived at `path`, in order.
    pub fn at(&self, path: &str) -> Vec<Received> {
        self.received.lock().unwrap().iter().filter(|received| received.path == path).cloned().collect()
    }
}

async fn answer(request: HttpRequest, body: Bytes, received: Data<Mutex<Vec<Received>>>) -> HttpResponse {
    let path = request.path().to_owned();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| {
        let value = value.to_str().unwrap().parse().unwrap();
        (name.as_str().parse::<reqwest::header::HeaderName>().unwrap(), value)
    });
    let count = {
        let mut received = received.lock().unwrap();
        received.push(Received { path: path.clone(), headers: headers.collect(), body: body.to_vec() });
        received.iter().filter(|received| received.path == path).count()
    };
    match path.as_str() {
        "/never" => std::future::pending().await,
        "/not-at-first" if count == 1 => std::future::pending().await,
        "/redirect" => HttpResponse::Found().insert_header(("location", "/ok")).finish(),
        "/busy" if count == 1 => HttpResponse::InternalServerError().body("x".repeat(1_000_000)),
        "/busy" if count == 2 => {
            HttpResponse::ServiceUnavailable().insert_header(("retry-after", "600")).finish()
        }
        _ => match path.strip_prefix("/status/") {
            Some(code) => HttpResponse::build(code.parse().unwrap()).finish(),
            None => HttpResponse::Ok().finish(),
        },
    }
}
