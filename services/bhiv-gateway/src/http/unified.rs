use std::time::Duration;

use actix_web::web::{Data, Json};
use bhiv_auth::Role;
use bhiv_auth::require::{GatewayRead, GatewayWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Id, Problem, Result, Valid};
use reqwest::{Client, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::receive_unified::ReceiveUnified;
use crate::domain::unified::{EXPECTED, NewUnified};
use crate::modules::Modules;
use crate::store::unified::{self, Outcome, Unified};
use crate::tokens::Tokens;

const PATIENCE: Duration = Duration::from_secs(3);

/// A unified event and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnifiedState {
    #[serde(flatten)]
    unified: Unified,
    /// What the modules made of it so far, in the order of arrival.
    outcomes: Vec<Outcome>,
    /// Its row in the log, once it is there.
    #[schema(value_type = Option<Object>)]
    log: Option<Value>,
    /// Whether each module has told, and the log has it.
    complete: bool,
    /// Modules that did not answer just now.
    partial: Vec<&'static str>,
}

pub async fn receive(
    who: Can<GatewayWrite>,
    Valid(new): Valid<NewUnified>,
    gateway: Data<Context>,
) -> Result<Created<Unified>> {
    let unified = gateway.run(who.origin(), ReceiveUnified(new)).await?;
    Ok(Created::at(format!("/event/unified/{}", unified.id), unified))
}

pub async fn read(
    _: Can<GatewayRead>,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
    log: Log,
) -> Result<Json<UnifiedState>> {
    let mut conn = gateway.read().await?;
    let unified = unified::find(&mut conn, id).await?;
    let unified = unified.ok_or_else(|| Problem::not_found(format!("unified/{id}")))?;
    let outcomes = unified::outcomes(&mut conn, id).await?;
    drop(conn);
    let log = log.entry(unified.event_id, &gateway).await;
    let partial = if log.is_err() { vec!["logging"] } else { Vec::new() };
    let log = log.unwrap_or_default();
    let has = |kind: &str| outcomes.iter().any(|outcome| outcome.kind == kind);
    let complete = EXPECTED.iter().all(|kind| has(kind)) && log.is_some();
    Ok(Json(UnifiedState { unified, outcomes, log, complete, partial }))
}

/// Asks logging, in the gateway's own name: who may see a unified event may see that it was logged.
pub struct Log {
    modules: Data<Modules>,
    client: Data<Client>,
    tokens: Data<Tokens>,
}

impl Log {
    /// The row of an event, or `None` while there is none.
    async fn entry(&self, event_id: Uuid, gateway: &Context) -> std::result::Result<Option<Value>, ()> {
        let logging = self.modules.named("logging").ok_or(())?;
        let token = self.tokens.issue("bhiv-gateway", &[Role::Service], gateway.clock().now());
        let (token, _) = token.map_err(drop)?;
        let url = format!("{}/logs/{event_id}", logging.url);
        let answer = self.client.get(url).bearer_auth(token).timeout(PATIENCE).send().await;
        let answer = answer.map_err(|error| {
            tracing::warn!(module = logging.name, %error, "a module does not answer");
        })?;
        match answer.status() {
            StatusCode::OK => answer.json().await.map(Some).map_err(drop),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(()),
        }
    }
}

impl actix_web::FromRequest for Log {
    type Error = Problem;
    type Future = std::future::Ready<std::result::Result<Self, Problem>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let log = || {
            Some(Self {
                modules: request.app_data::<Data<Modules>>()?.clone(),
                client: request.app_data::<Data<Client>>()?.clone(),
                tokens: request.app_data::<Data<Tokens>>()?.clone(),
            })
        };
        std::future::ready(log().ok_or_else(|| bhiv_web::codes::INTERNAL.into()))
    }
}

impl bhiv_web::Describe for Log {
    fn describe(_: &mut bhiv_web::Operation) {}
}
