//! Requests of persons, and reports of breaches: two doors to the duties.

use actix_web::web::{Data, Json};
use bhiv_auth::require::{ComplianceRead, ComplianceWrite};
use bhiv_service::Context;
use bhiv_web::{Can, Created, Cursor, Id, Limit, MayAnswer, Page, Problem, Result, Valid, ValidQuery};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::open_duty::{OpenBreach, OpenRequest};
use crate::commands::work_on_duty::WorkOnDuty;
use crate::domain::duty::{DutyChange, DutyKind, DutyStatus, NewBreach, NewRequest};
use crate::office::Office;
use crate::store::duty::{self, Duty, DutyRecord, Filter};

/// Which requests, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRequests {
    /// Those of this kind.
    kind: Option<DutyKind>,
    /// Those of this person, for example `lead/0190...`.
    subject: Option<String>,
    /// Those that are so far.
    status: Option<DutyStatus>,
    /// Those that are open and are to be answered before that time.
    due_before: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// Which breaches, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBreaches {
    /// Those that are so far.
    status: Option<DutyStatus>,
    /// Those that are open and are to be reported before that time.
    due_before: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn request(
    who: Can<ComplianceWrite>,
    Valid(new): Valid<NewRequest>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Created<DutyRecord>> {
    let opened = compliance.run(who.origin(), OpenRequest { new, regime: office.regime }).await?;
    Ok(Created::at(format!("/compliance/requests/{}", opened.duty.id), opened))
}

pub async fn report(
    who: Can<ComplianceWrite>,
    Valid(new): Valid<NewBreach>,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Created<DutyRecord>> {
    let opened = compliance.run(who.origin(), OpenBreach { new, regime: office.regime }).await?;
    Ok(Created::at(format!("/compliance/breaches/{}", opened.duty.id), opened))
}

pub async fn requests(
    _: Can<ComplianceRead>,
    ValidQuery(query): ValidQuery<ListRequests>,
    compliance: Data<Context>,
) -> Result<Json<Page<Duty>>> {
    let ListRequests { kind, subject, status, due_before, limit, cursor } = query;
    let filter = Filter { breaches: false, kind, subject, status, due_before };
    page(&compliance, filter, limit, cursor).await
}

pub async fn breaches(
    _: Can<ComplianceRead>,
    ValidQuery(query): ValidQuery<ListBreaches>,
    compliance: Data<Context>,
) -> Result<Json<Page<Duty>>> {
    let ListBreaches { status, due_before, limit, cursor } = query;
    let filter = Filter { breaches: true, status, due_before, ..Filter::default() };
    page(&compliance, filter, limit, cursor).await
}

async fn page(
    compliance: &Context,
    filter: Filter,
    limit: Limit,
    cursor: Option<Cursor>,
) -> Result<Json<Page<Duty>>> {
    let mut conn = compliance.read().await?;
    let found = duty::list(&mut conn, &filter, Cursor::id(cursor), limit.and_one()).await?;
    let total = duty::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(found, limit, total, |duty| duty.id)))
}

pub async fn read_request(
    _: Can<ComplianceRead>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<DutyRecord>> {
    let duty = duty::find(&mut *compliance.read().await?, id, false).await?;
    duty.map(Json).ok_or_else(|| Problem::not_found(format!("request/{id}")))
}

pub async fn read_breach(
    _: Can<ComplianceRead>,
    Id(id): Id<Uuid>,
    compliance: Data<Context>,
) -> Result<Json<DutyRecord>> {
    let duty = duty::find(&mut *compliance.read().await?, id, true).await?;
    duty.map(Json).ok_or_else(|| Problem::not_found(format!("breach/{id}")))
}

pub async fn work_on_request(
    who: Can<ComplianceWrite>,
    _: MayAnswer<409>,
    Id(id): Id<Uuid>,
    Valid(change): Valid<DutyChange>,
    compliance: Data<Context>,
) -> Result<Json<DutyRecord>> {
    Ok(Json(compliance.run(who.origin(), WorkOnDuty { id, breach: false, change }).await?))
}

pub async fn work_on_breach(
    who: Can<ComplianceWrite>,
    _: MayAnswer<409>,
    Id(id): Id<Uuid>,
    Valid(change): Valid<DutyChange>,
    compliance: Data<Context>,
) -> Result<Json<DutyRecord>> {
    Ok(Json(compliance.run(who.origin(), WorkOnDuty { id, breach: true, change }).await?))
}
