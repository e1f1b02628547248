//! A module for the gateway to stand in front of: real HTTP, and it tells what it was asked.

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

pub struct Module {
    pub url: String,
    server: ServerHandle,
}

impl Module {
    pub async fn start() -> Self {
        Self::serving(|app| {
            app.route("/health/ready", web::get().to(|| answer(json!({"status": "ready", "checks": {}}))))
                .route("/openapi.json", web::get().to(|| answer(document())))
                .route("/crm/created", web::to(created))
                .route("/crm/large", web::to(|| async { HttpResponse::Ok().body("x".repeat(3_000_000)) }))
                .route("/logs/{id}", web::get().to(|| answer(json!({"event_type": "unified_received"}))))
                .route("/crm/first", web::to(first))
                .route("/crm/cached", web::to(cached))
                .route("/crm/empty", web::to(HttpResponse::NoContent))
                .route("/crm/unchanged", web::to(HttpResponse::NotModified))
                .default_service(web::to(echo));
        })
        .await
    }

    /// A module with routes of the test's own.
    pub async fn serving(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Self {
        let server = HttpServer::new(move || {
            let routes = routes.clone();
            App::new().configure(move |app| routes(app))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, server: handle }
    }

    pub async fn stop(&self) {
        self.server.stop(false).await;
    }
}

async fn answer(body: Value) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// What the module was asked, as its answer.
async fn echo(request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let headers: serde_json::Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    HttpResponse::Ok().insert_header(("x-module", "echo")).json(json!({
        "method": request.method().as_str(),
        "path": request.path(),
        "query": request.query_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
        "length": body.len(),
    }))
}

async fn created() -> HttpResponse {
    HttpResponse::Created().insert_header(("location", "/crm/created/1")).json(json!({"id": 1}))
}

/// The first piece of a body, as soon as it is there.
async fn first(mut body: web::Payload) -> HttpResponse {
    let first = body.next().await.unwrap().unwrap();
    HttpResponse::Ok().body(first)
}

async fn cached() -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "private, max-age=60")).json(json!({}))
}

fn document() -> Value {
    json!({
        "paths": {"/rl/decisions": {"post": {"operationId": "post_rl_decisions"}}},
        "components": {"schemas": {"Decision": {"type": "object"}}},
    })
}
