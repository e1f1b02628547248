use std::collections::BTreeMap;
use std::time::Instant;

use actix_web::web::{Data, Json};
use bhiv_service::{Context, Service as _};
use bhiv_telemetry::metrics;
use bhiv_web::{Health, Known, Report, Result};
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::health::{ModuleState, module_state, summary};
use crate::compose::Asking;
use crate::live::Live;
use crate::{Gateway, Started};

/// The state of everything in figures.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemStatus {
    /// `up`, or `degraded` if the gateway or a module is not ready.
    status: &'static str,
    /// When it was measured.
    measured_at: DateTime<Utc>,
    /// The replica of the gateway that answers.
    gateway: GatewayStatus,
    /// Every module.
    modules: BTreeMap<&'static str, ModuleStatus>,
}

/// How this replica of the gateway is.
#[derive(Debug, Serialize, ToSchema)]
pub struct GatewayStatus {
    /// Its version.
    version: &'static str,
    /// How long it has been running.
    uptime_seconds: i64,
    /// Live streams that are open here.
    streams_open: usize,
    /// What waits.
    backlog: Option<Backlog>,
    /// What it depends on.
    #[serde(flatten)]
    report: Report,
}

/// How a module is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModuleStatus {
    /// How long it took to say how it is.
    latency_ms: f64,
    /// Its version; null if it does not say.
    version: Option<String>,
    /// How long it has been running; null if it does not say.
    uptime_seconds: Option<u64>,
    /// What waits; null if it does not say.
    backlog: Option<Backlog>,
    #[serde(flatten)]
    state: ModuleState,
}

/// Events and messages that wait, as measured by a service at most some seconds ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Backlog {
    /// Events that are not published yet.
    outbox_waiting: f64,
    /// Age of the oldest of them.
    outbox_oldest_seconds: f64,
    /// Events that the broker refused and that are tried again.
    outbox_parked: f64,
    /// Messages that could not be handled yet.
    inbox_parked: f64,
    /// For how long the oldest of them could not be handled.
    inbox_parked_oldest_seconds: f64,
    /// Messages that were given up and wait for an operator (`bhiv dlq`); null if the broker has not said.
    dead_letters: Option<f64>,
}

pub async fn read(
    _: Known,
    asking: Asking,
    health: Data<Health>,
    live: Data<Live>,
    started: Data<Started>,
    gateway: Data<Context>,
) -> Result<Json<SystemStatus>> {
    let names = || asking.modules().iter().map(|module| module.name);
    let modules = join_all(names().map(|name| module_status(&asking, name)));
    let (report, modules) = tokio::join!(health.report(), modules);
    let modules: BTreeMap<_, _> = names().zip(modules).collect();
    let is_ready = report.status == "ready" && modules.values().all(|module| module.state.is_ready());
    let now = gateway.clock().now();
    let gateway = GatewayStatus {
        version: Gateway::INFO.version,
        uptime_seconds: (now - started.0).num_seconds(),
        streams_open: live.readers(),
        backlog: backlog(&metrics::render()),
        report,
    };
    Ok(Json(SystemStatus { status: summary(is_ready), measured_at: now, gateway, modules }))
}

async fn module_status(asking: &Asking, name: &str) -> ModuleStatus {
    let asked = Instant::now();
    let timed = async {
        let state = module_state(asking, name).await;
        (state, asked.elapsed())
    };
    let ((state, took), version, metrics) =
        tokio::join!(timed, asking.text(name, "/version"), asking.text(name, "/metrics"));
    let version: Value = version.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    ModuleStatus {
        latency_ms: took.as_secs_f64() * 1000.0,
        uptime_seconds: version.get("uptime_seconds").and_then(Value::as_u64),
        version: version.get("version").and_then(Value::as_str).map(str::to_owned),
        backlog: metrics.and_then(|metrics| backlog(&metrics)),
        state,
    }
}

/// From a page of metrics, if they are there.
fn backlog(metrics: &str) -> Option<Backlog> {
    Some(Backlog {
        outbox_waiting: gauge(metrics, "outbox_waiting")?,
        outbox_oldest_seconds: gauge(metrics, "outbox_oldest_seconds")?,
        outbox_parked: gauge(metrics, "outbox_parked")?,
        inbox_parked: gauge(metrics, "inbox_parked")?,
        inbox_parked_oldest_seconds: gauge(metrics, "inbox_parked_oldest_seconds")?,
        dead_letters: gauge(metrics, "dead_letters"),
    })
}

/// The value of a gauge that has at most labels of no interest.
fn gauge(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        if !rest.starts_with([' ', '{']) {
            return None;
        }
        rest.rsplit(' ').next()?.parse().ok().filter(|value: &f64| value.is_finite())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_read_from_a_page_of_metrics() {
        let page = "# HELP outbox_waiting Events that are not published yet.\n\
                    # TYPE outbox_waiting gauge\n\
                    outbox_waiting{service=\"crm\"} 3\n\
                    outbox_oldest_seconds 0.25\n\
                    outbox_parked 1\n\
                    inbox_parked_oldest_seconds 7\n\
                    inbox_parked 2\n";
        let wanted = Backlog {
            outbox_waiting: 3.0,
            outbox_oldest_seconds: 0.25,
            outbox_parked: 1.0,
            inbox_parked: 2.0,
            inbox_parked_oldest_seconds: 7.0,
            dead_letters: None,
        };
        assert_eq!(backlog(page), Some(wanted));
        let letters = backlog(&format!("{page}dead_letters 4\n")).and_then(|backlog| backlog.dead_letters);
        assert_eq!(letters, Some(4.0));
        assert_eq!(backlog("outbox_waiting 3\n"), None, "half of it is not known");
    }
}
