use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use utoipa::ToSchema;

/// Asks one thing that the service depends on.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Trouble>> + Send + Sync>;

/// What is wrong with something that the service depends on.
#[derive(Clone, Debug)]
pub struct Trouble {
    state: CheckState,
    reason: String,
}

impl Trouble {
    /// The service cannot do without it.
    pub fn down(reason: impl Into<String>) -> Self {
        Self { state: CheckState::Down, reason: reason.into() }
    }

    /// The service goes on without it for now.
    pub fn degraded(reason: impl Into<String>) -> Self {
        Self { state: CheckState::Degraded, reason: reason.into() }
    }
}

/// Whether the service can do its work. Cloning it shares it.
#[derive(Clone, Default)]
pub struct Health {
    probes: Vec<(&'static str, Probe)>,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.probes.iter().map(|(name, _)| name)).finish()
    }
}

/// The state of one thing, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Up,
    /// Away, and done without for now.
    Degraded,
    /// Away, and nothing goes without it.
    Down,
}

/// How one thing is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Check {
    /// Its state, asked just now.
    pub state: CheckState,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How the service is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Report {
    /// `ready`, or `not_ready` if anything is down.
    pub status: &'static str,
    /// Everything that it depends on.
    pub checks: BTreeMap<&'static str, Check>,
}

impl Health {
    /// Adds something that the service depends on.
    pub fn depend_on(&mut self, name: &'static str, probe: Probe) {
        self.probes.push((name, probe));
    }

    /// Asks everything, now.
    pub async fn report(&self) -> Report {
        let results = join_all(self.probes.iter().map(|(_, probe)| probe())).await;
        let checks: BTreeMap<_, _> = self
            .probes
            .iter()
            .zip(results)
            .map(|((name, _), result)| {
                let check = match result {
                    Ok(()) => Check { state: CheckState::Up, reason: None },
                    Err(Trouble { state, reason }) => Check { state, reason: Some(reason) },
                };
                (*name, check)
            })
            .collect();
        let is_down = checks.values().any(|check| check.state == CheckState::Down);
        Report { status: if is_down { "not_ready" } else { "ready" }, checks }
    }
}

pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

pub(crate) async fn ready(health: web::Data<Health>) -> HttpResponse {
    let report = health.report().await;
    let is_ready = report.status == "ready";
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(report)
}
