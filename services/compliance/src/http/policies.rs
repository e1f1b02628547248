use actix_web::web::{self, Data, Json};
use bhiv_auth::require::{ComplianceAdmin, ComplianceRead};
use bhiv_service::Context;
use bhiv_web::{Can, Created, MayAnswer, Problem, Result, Segment, Valid};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::write_policy::{CreatePolicy, PatchPolicy};
use crate::domain::backtest::{Backtest, Trial};
use crate::domain::policy::draft::{NewPolicy, PolicyChange, check};
use crate::domain::policy::{Policies as Judge, PolicyText};
use crate::store::heard::{self, HeardEvent};
use crate::store::policy::{self, Policy, PolicyVersion};

/// The rules that events are judged by.
#[derive(Debug, Serialize, ToSchema)]
pub struct Policies {
    /// Every policy, by its id.
    items: Vec<Policy>,
}

/// What a policy was.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyVersions {
    /// Every version, the newest first.
    items: Vec<PolicyVersion>,
}

pub async fn create(
    who: Can<ComplianceAdmin>,
    _: MayAnswer<409>,
    Valid(new): Valid<NewPolicy>,
    compliance: Data<Context>,
) -> Result<Created<Policy>> {
    let policy = compliance.run(who.origin(), CreatePolicy(new)).await?;
    Ok(Created::at(format!("/compliance/policies/{}", policy.id), policy))
}

pub async fn list(_: Can<ComplianceRead>, compliance: Data<Context>) -> Result<Json<Policies>> {
    let items = policy::all(&mut *compliance.read().await?).await?;
    Ok(Json(Policies { items }))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Segment(id): Segment<String>,
    compliance: Data<Context>,
) -> Result<Json<Policy>> {
    let policy = policy::find(&mut *compliance.read().await?, &id).await?;
    policy.map(Json).ok_or_else(|| missing(&id))
}

pub async fn patch(
    who: Can<ComplianceAdmin>,
    Segment(id): Segment<String>,
    Valid(change): Valid<PolicyChange>,
    compliance: Data<Context>,
) -> Result<Json<Policy>> {
    Ok(Json(compliance.run(who.origin(), PatchPolicy { id, change }).await?))
}

pub async fn versions(
    _: Can<ComplianceRead>,
    Segment(id): Segment<String>,
    compliance: Data<Context>,
) -> Result<Json<PolicyVersions>> {
    let items = policy::versions(&mut *compliance.read().await?, &id).await?;
    if items.is_empty() { Err(missing(&id)) } else { Ok(Json(PolicyVersions { items })) }
}

/// Tries a policy, or a draft of it, on events that were judged. Nothing changes.
pub async fn backtest(
    _: Can<ComplianceAdmin>,
    Segment(id): Segment<String>,
    Valid(trial): Valid<Trial>,
    compliance: Data<Context>,
) -> Result<Json<Backtest>> {
    let mut conn = compliance.read().await?;
    let saved = policy::find(&mut conn, &id).await?.ok_or_else(|| missing(&id))?;
    let Trial { cedar, enabled, event_type, from, until, limit } = trial;
    if let Some(cedar) = &cedar {
        check(cedar)?;
    }
    let current = policy::enabled(&mut conn).await?;
    let mut draft: Vec<PolicyText> = current.iter().filter(|text| text.id != id).cloned().collect();
    if enabled.unwrap_or(true) {
        let mut text = saved.text();
        text.cedar = cedar.unwrap_or(text.cedar);
        draft.push(text);
    }
    let period = (from.unwrap_or(DateTime::UNIX_EPOCH), until.unwrap_or(DateTime::<Utc>::MAX_UTC));
    let limit = usize::from(limit.unwrap_or(1000));
    let and_one = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut events = heard::list(&mut conn, event_type.as_deref(), period, and_one).await?;
    drop(conn);
    let truncated = events.len() > limit;
    events.truncate(limit);
    // Policies may take their time: not on the thread that answers requests.
    let tried = web::block(move || {
        let (current, draft) = (Judge::read(&current), Judge::read(&draft));
        let mut result = Backtest { truncated, ..Backtest::default() };
        for HeardEvent { event, known, heard_at, .. } in events {
            if let Ok(event) = serde_json::from_value(event) {
                result.add((&event, &known), heard_at, &current, &draft);
            }
        }
        result
    });
    tried.await.map(Json).map_err(|error| Problem::internal(&error))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("policy/{id}"))
}
