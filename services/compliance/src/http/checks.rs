use actix_web::web::{Data, Json};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, Id, Limit, Page, Problem, Result, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::policy::Verdict;
use crate::store::check::{self, Check, Filter};

/// Which checks, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListChecks {
    /// The one of this event.
    event_id: Option<Uuid>,
    /// Those of events of this name, for example `lead_created`.
    event_type: Option<String>,
    /// Those of events about this, for example `lead/0190...`.
    entity: Option<String>,
    /// Those that came to this verdict.
    verdict: Option<Verdict>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
    /// Those made at that time or later.
    since: Option<DateTime<Utc>>,
    /// Those made before that time.
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Which violations, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListViolations {
    /// The one by this event.
    event_id: Option<Uuid>,
    /// Those by events of this name, for example `lead_created`.
    event_type: Option<String>,
    /// Those by events about this, for example `lead/0190...`.
    entity: Option<String>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
    /// Those found at that time or later.
    since: Option<DateTime<Utc>>,
    /// Those found before that time.
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    _: Can<ComplianceRead>,
    ValidQuery(query): ValidQuery<ListChecks>,
    compliance: Data<Context>,
) -> Result<Json<Page<Check>>> {
    let ListChecks { event_id, event_type, entity, verdict, correlation_id, since, until, limit, cursor } =
        query;
    let filter = Filter { event_id, event_type, entity, verdict, correlation_id, since, until };
    page(&compliance, filter, limit, cursor).await
}

pub async fn violations(
    _: Can<ComplianceRead>,
    ValidQuery(query): ValidQuery<ListViolations>,
    compliance: Data<Context>,
) -> Result<Json<Page<Check>>> {
    let ListViolations { event_id, event_type, entity, correlation_id, since, until, limit, cursor } = query;
    let verdict = Some(Verdict::Violation);
    let filter = Filter { event_id, event_type, entity, verdict, correlation_id, since, until };
    page(&compliance, filter, limit, cursor).await
}

async fn page(
    compliance: &Context,
    filter: Filter,
    limit: Limit,
    cursor: Option<Cursor>,
) -> Result<Json<Page<Check>>> {
    let mut conn = compliance.read().await?;
    let found = check::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = check::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |check| check.id)))
}

pub async fn read(
    _: Can<ComplianceRead>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<Check>> {
    let check = check::find(&mut *compliance.read().await?, id).await?;
    check.map(Json).ok_or_else(|| Problem::not_found(format!("check/{id}")))
}
