use actix_web::web::{Data, Json};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Result, ValidQuery};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::period::Period;
use crate::store::report::{self, AuditReport};

/// The days that a report covers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// The first day, UTC.
    start_date: NaiveDate,
    /// The last day, UTC; at most a year after the first.
    end_date: NaiveDate,
}

pub async fn audit(
    _: Can<ComplianceRead>,
    ValidQuery(Days { start_date, end_date }): ValidQuery<Days>,
    compliance: Data<Context>,
) -> Result<Json<AuditReport>> {
    let period = Period::new(start_date, end_date)?;
    let mut conn = compliance.read().await?;
    Ok(Json(report::read(&mut conn, (start_date, end_date), period).await?))
}
