use actix_web::web::{Data, Json};
use bhiv_auth::Role;
use bhiv_auth::require::{GatewayRead, GatewayWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Id, Problem, Result, Valid};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::receive_unified::ReceiveUnified;
use crate::compose::{Asking, Question};
use crate::domain::unified::{EXPECTED, NewUnified};
use crate::store::unified::{self, Outcome, Unified};
use crate::tokens::Tokens;

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
    asking: Asking,
    tokens: Data<Tokens>,
) -> Result<Json<UnifiedState>> {
    let mut conn = gateway.read().await?;
    let unified = unified::find(&mut conn, id).await?;
    let unified = unified.ok_or_else(|| Problem::not_found(format!("unified/{id}")))?;
    let outcomes = unified::outcomes(&mut conn, id).await?;
    drop(conn);
    let log = logged(asking, &tokens, unified.event_id, gateway.clock().now()).await;
    let partial = if log.is_err() { vec!["logging"] } else { Vec::new() };
    let log = log.unwrap_or_default();
    let has = |kind: &str| outcomes.iter().any(|outcome| outcome.kind == kind);
    let complete = EXPECTED.iter().all(|kind| has(kind)) && log.is_some();
    Ok(Json(UnifiedState { unified, outcomes, log, complete, partial }))
}

/// The row of an event, or `None` while there is none. Logging is asked in the gateway's own name: who may see a
/// unified event may see that it was logged.
async fn logged(
    asking: Asking,
    tokens: &Tokens,
    event_id: Uuid,
    now: DateTime<Utc>,
) -> std::result::Result<Option<Value>, ()> {
    let (token, _) = tokens.issue("bhiv-gateway", &[Role::Service], now).map_err(drop)?;
    let question = Question::new("log", "logging", format!("/logs/{event_id}"));
    match asking.with_token(&token).get(question).await {
        Ok(row) => Ok(Some(row)),
        Err(missing) if missing.is_absent() => Ok(None),
        Err(_) => Err(()),
    }
}
