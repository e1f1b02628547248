use std::collections::BTreeMap;

use actix_web::body::BoxBody;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use bhiv_auth::Requires as _;
use bhiv_auth::require::{GatewayAdmin, GatewayRead, GatewayWrite};
use bhiv_service::Context;
use bhiv_web::{
    Can, Created, Cursor, Describe, Limit, NoContent, Operation, Page, Problem, Result, Segment, Valid,
    ValidQuery,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::health::{ModuleState, module_state};
use crate::commands::register_agent::{Known, RegisterAgent};
use crate::commands::remove_agent::RemoveAgent;
use crate::compose::{Asking, Gaps, Question};
use crate::domain::agent::{AgentId, Registered};
use crate::store::agent::{self, Agent, Filter};

/// Which agents, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAgents {
    /// Those of this type.
    agent_type: Option<String>,
    /// Those that can do this.
    capability: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// How agents and what they ask for decisions are.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentsState {
    /// How many agents are registered.
    agents: i64,
    /// How many of each type.
    by_type: BTreeMap<String, i64>,
    /// The module that decides.
    rl: ModuleState,
    /// What decides, by kind of decision; null when it is not known now.
    #[schema(value_type = Option<Vec<Object>>)]
    policies: Option<Value>,
    #[serde(flatten)]
    gaps: Gaps,
}

/// 201 with a new agent, 200 with one that was there before.
pub enum Answer {
    New(Created<Agent>),
    Known(Agent),
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::New(created) => created.respond_to(request),
            Self::Known(agent) => HttpResponse::Ok().json(agent),
        }
    }
}

impl Describe for Answer {
    fn describe(operation: &mut Operation) {
        Created::<Agent>::describe(operation);
        operation.answers::<Agent>("200", "It was registered before");
    }
}

pub async fn register(
    who: Can<GatewayWrite>,
    Valid(registered): Valid<Registered>,
    gateway: Data<Context>,
) -> Result<Answer> {
    let Known { agent, is_new } = gateway.run(who.origin(), RegisterAgent(registered)).await?;
    let location = format!("/bhiv/agents/{}", agent.agent_id);
    Ok(if is_new { Answer::New(Created::at(location, agent)) } else { Answer::Known(agent) })
}

pub async fn list(
    _: Can<GatewayRead>,
    ValidQuery(query): ValidQuery<ListAgents>,
    gateway: Data<Context>,
) -> Result<Json<Page<Agent>>> {
    let ListAgents { agent_type, capability, limit, cursor } = query;
    let filter = Filter { agent_type, capability };
    let mut conn = gateway.read().await?;
    let agents = agent::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = agent::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(agents, limit, total, |agent| agent.id)))
}

pub async fn read(
    _: Can<GatewayRead>,
    Segment(agent_id): Segment<AgentId>,
    gateway: Data<Context>,
) -> Result<Json<Agent>> {
    let agent = agent::find(&mut *gateway.read().await?, agent_id.as_str()).await?;
    agent.map(Json).ok_or_else(|| Problem::not_found(format!("agent/{agent_id}")))
}

pub async fn remove(
    who: Can<GatewayWrite>,
    Segment(agent_id): Segment<AgentId>,
    gateway: Data<Context>,
) -> Result<NoContent> {
    let may_any = who.caller.may(GatewayAdmin::PERMISSION);
    gateway.run(who.origin(), RemoveAgent { agent_id, may_any }).await?;
    Ok(NoContent)
}

pub async fn status(
    _: Can<GatewayRead>,
    asking: Asking,
    gateway: Data<Context>,
) -> Result<Json<AgentsState>> {
    let policies = asking.get(Question::new("policies", "rl", "/rl/policies"));
    let (policies, rl) = tokio::join!(policies, module_state(&asking, "rl"));
    let mut gaps = Gaps::default();
    let policies = gaps.take(policies).and_then(|mut answer| answer.get_mut("items").map(Value::take));
    let counted = agent::count_by_type(&mut *gateway.read().await?).await?;
    let by_type: BTreeMap<_, _> = counted.into_iter().collect();
    let agents = by_type.values().sum();
    Ok(Json(AgentsState { agents, by_type, rl, policies, gaps }))
}
