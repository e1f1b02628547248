use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use bhiv_service::Service as _;
use bhiv_web::{Health, Public, Report, Result};
use futures_util::future::join_all;
use reqwest::Client;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Gateway;
use crate::modules::{Module, Modules};

const PATIENCE: Duration = Duration::from_secs(3);

/// What this is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Index {
    name: &'static str,
    version: &'static str,
    /// Where the page of the API is.
    docs: &'static str,
    /// Where the API's document is.
    openapi: &'static str,
    /// Where the state of everything is.
    health: &'static str,
}

/// The state of everything.
#[derive(Debug, Serialize, ToSchema)]
pub struct System {
    /// `up`, or `degraded` if the gateway or a module is not ready.
    status: &'static str,
    /// The gateway itself.
    gateway: Report,
    /// Every module.
    modules: BTreeMap<&'static str, ModuleState>,
}

/// How a module is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModuleState {
    /// `ready`, `not_ready`, or `down` if it does not answer.
    status: String,
    /// What it says of the things that it depends on.
    #[schema(value_type = Object)]
    checks: Value,
}

pub async fn index(_: Public) -> Result<Json<Index>> {
    let info = Gateway::INFO;
    Ok(Json(Index {
        name: "BHIV Unified Core",
        version: info.version,
        docs: "/docs/",
        openapi: "/openapi.json",
        health: "/health",
    }))
}

pub async fn health(
    _: Public,
    health: Data<Health>,
    modules: Data<Modules>,
    client: Data<Client>,
) -> Result<Json<System>> {
    let states = join_all(modules.all().iter().map(|module| ask(&client, module)));
    let (gateway, states) = tokio::join!(health.report(), states);
    let modules: BTreeMap<_, _> = modules.all().iter().map(|module| module.name).zip(states).collect();
    let is_ready = gateway.status == "ready" && modules.values().all(|module| module.status == "ready");
    Ok(Json(System { status: if is_ready { "up" } else { "degraded" }, gateway, modules }))
}

async fn ask(client: &Client, module: &Module) -> ModuleState {
    let request = client.get(format!("{}/health/ready", module.url)).timeout(PATIENCE);
    let report: reqwest::Result<Value> = async { request.send().await?.json().await }.await;
    let report = report.unwrap_or_default();
    let status = report.get("status").and_then(Value::as_str).unwrap_or("down");
    ModuleState { status: status.to_owned(), checks: report.get("checks").cloned().unwrap_or_default() }
}

pub async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("location", "/docs/")).finish()
}
