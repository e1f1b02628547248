mod forms;

use actix_web::body::BoxBody;
use actix_web::http::header::ACCEPT;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use bhiv_auth::require::ComplianceRead;
use bhiv_service::Context;
use bhiv_web::{Can, Describe, Operation, Problem, Result, ValidQuery};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::period::Period;
use crate::office::Office;
use crate::store::report::{self, AuditReport};

/// The days that a report covers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// The first day, UTC.
    start_date: NaiveDate,
    /// The last day, UTC; at most a year after the first.
    end_date: NaiveDate,
    /// What it is written as; without it, what `Accept` prefers, and JSON if that does not matter.
    format: Option<Form>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// For programs.
    Json,
    /// For spreadsheets: `section,name,count`.
    Csv,
    /// For people.
    Html,
}

/// A report, written.
#[derive(Debug)]
pub enum Written {
    Json(AuditReport),
    Text(&'static str, String),
}

impl Responder for Written {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Self::Json(report) => HttpResponse::Ok().json(report),
            Self::Text(media_type, text) => HttpResponse::Ok().content_type(media_type).body(text),
        }
    }
}

impl Describe for Written {
    fn describe(operation: &mut Operation) {
        operation.answers::<AuditReport>("200", "The report; by `format` or `Accept` as CSV or HTML, too");
        operation.also_as("200", "text/csv");
        operation.also_as("200", "text/html");
    }
}

pub async fn audit(
    _: Can<ComplianceRead>,
    ValidQuery(Days { start_date, end_date, format }): ValidQuery<Days>,
    request: HttpRequest,
    compliance: Data<Context>,
    office: Data<Office>,
) -> Result<Written> {
    let period = Period::new(start_date, end_date)?;
    let mut conn = compliance.read().await?;
    let report = report::read(&mut conn, (start_date, end_date), period).await?;
    Ok(match format.unwrap_or_else(|| accepted(&request)) {
        Form::Json => Written::Json(report),
        Form::Csv => {
            let text = forms::csv(&report).map_err(|error| Problem::internal(&error))?;
            Written::Text("text/csv; charset=utf-8", text)
        }
        Form::Html => {
            let page = forms::html(&report, &office.controller, compliance.clock().now());
            Written::Text("text/html; charset=utf-8", page.map_err(|error| Problem::internal(&error))?)
        }
    })
}

/// The first form that the client names.
fn accepted(request: &HttpRequest) -> Form {
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let named =
        accept.split(',').filter_map(|part| match part.split(';').next().unwrap_or_default().trim() {
            "application/json" => Some(Form::Json),
            "text/csv" => Some(Form::Csv),
            "text/html" => Some(Form::Html),
            _ => None,
        });
    named.into_iter().next().unwrap_or(Form::Json)
}
