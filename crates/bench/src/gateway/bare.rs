//! A proxy of actix-web and reqwest, and nothing else: what is easily made of them.

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Url};

use super::town::WORKERS;
use crate::Result;

/// Passes on what comes to `address` to `to`.
pub fn serve(address: &str, to: &str) -> Result<ServerHandle> {
    let to: Url = format!("http://{to}").parse()?;
    let clients = || Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    // Whether one can be made is known before any worker makes its own.
    clients()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(clients().unwrap_or_default()))
            .app_data(Data::new(to.clone()))
            .default_service(web::to(pass))
    });
    let server = server.workers(WORKERS).disable_signals().bind(address)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

async fn pass(
    request: HttpRequest,
    body: Bytes,
    client: Data<Client>,
    to: Data<Url>,
) -> std::result::Result<HttpResponse, Box<dyn std::error::Error>> {
    let mut url = Url::clone(&to);
    url.set_path(request.path());
    let mut parcel = Request::new(Method::from_bytes(request.method().as_str().as_bytes())?, url);
    for (name, value) in request.headers() {
        if !is_of_connection(name.as_str()) {
            let name = HeaderName::from_bytes(name.as_str().as_bytes())?;
            parcel.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes())?);
        }
    }
    if !body.is_empty() {
        *parcel.body_mut() = Some(body.into());
    }
    let answer = client.execute(parcel).await?;
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status().as_u16())?);
    for (name, value) in answer.headers() {
        if !is_of_connection(name.as_str()) {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    Ok(response.body(answer.bytes().await?))
}

/// What the libraries say themselves.
fn is_of_connection(name: &str) -> bool {
    matches!(name, "connection" | "content-length" | "host" | "transfer-encoding")
}
