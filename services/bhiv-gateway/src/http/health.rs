use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use bhiv_service::Service as _;
use bhiv_web::{Health, Public, Report, Result};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Gateway;
use crate::compose::Asking;

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
    #[schema(value_type = Option<Object>)]
    checks: Value,
}

impl ModuleState {
    /// Whether it can do its work.
    pub fn is_ready(&self) -> bool {
        self.status == "ready"
    }
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

pub async fn health(_: Public, health: Data<Health>, asking: Asking) -> Result<Json<System>> {
    let names = || asking.modules().iter().map(|module| module.name);
    let states = join_all(names().map(|name| module_state(&asking, name)));
    let (gateway, states) = tokio::join!(health.report(), states);
    let modules: BTreeMap<_, _> = names().zip(states).collect();
    let is_ready = gateway.status == "ready" && modules.values().all(ModuleState::is_ready);
    Ok(Json(System { status: summary(is_ready), gateway, modules }))
}

/// `up` or `degraded`.
pub fn summary(is_ready: bool) -> &'static str {
    if is_ready { "up" } else { "degraded" }
}

/// How the module of that name is, asked now.
pub async fn module_state(asking: &Asking, module: &str) -> ModuleState {
    let report = asking.text(module, "/health/ready").await;
    let report: Value = report.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let status = report.get("status").and_then(Value::as_str).unwrap_or("down");
    ModuleState { status: status.to_owned(), checks: report.get("checks").cloned().unwrap_or_default() }
}

pub async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("location", "/docs/")).finish()
}
