//! A module that does nothing: it answers a fixed text.

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::Result;

/// About as long as a lead.
const TEXT: &str = r#"{"id":"01940000-0000-7000-8000-000000000001","title":"Call Asha Verma","status":"pending","priority":"high","assignee_id":"ravi","reference":"lead/01940000-0000-7000-8000-000000000002","due_date":"2027-01-15T09:00:00Z","created_at":"2027-01-14T09:00:00Z","updated_at":"2027-01-14T09:00:00Z","version":1,"correlation_id":"01940000-0000-7000-8000-000000000003"}"#;

pub fn serve(address: &str) -> Result<ServerHandle> {
    let server = HttpServer::new(|| {
        App::new()
            .route(
                "/task/tasks/1",
                web::get().to(async || HttpResponse::Ok().content_type("application/json").body(TEXT)),
            )
            .route(
                "/task/tasks",
                // The body is read, as by everybody.
                web::post().to(async |_: web::Bytes| {
                    HttpResponse::Created().content_type("application/json").body(TEXT)
                }),
            )
    });
    let server = server.workers(2).disable_signals().bind(address)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}
