use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition};
use actix_web::web::{Bytes, Data};
use bhiv_auth::Reach;
use bhiv_auth::require::CrmRead;
use bhiv_service::Context;
use bhiv_web::{Can, Download, Problem, Result, ValidQuery};
use chrono::{DateTime, Utc};
use futures_util::{Stream, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::{account, contact, lead, opportunity};

/// Records that are read at once: so many are in memory, however many there are.
const AT_A_TIME: i64 = 500;

/// What is exported.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Entity {
    /// Leads that are not archived.
    #[default]
    Leads,
    /// Contacts.
    Contacts,
    /// Accounts.
    Accounts,
    /// Opportunities.
    Opportunities,
}

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// The names of the fields in the first row; several values with semicolons between them.
    #[default]
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// What is exported, and how.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HowToExport {
    /// Leads, unless it says otherwise.
    #[serde(default)]
    entity: Entity,
    /// CSV, unless it says otherwise.
    #[serde(default)]
    format: Format,
}

type Place = Option<(DateTime<Utc>, Uuid)>;

/// How far an export is.
struct Export {
    crm: Data<Context>,
    reach: Reach,
    how: HowToExport,
    after: Place,
    is_begun: bool,
    is_over: bool,
}

pub async fn read(
    who: Can<CrmRead>,
    ValidQuery(how): ValidQuery<HowToExport>,
    crm: Data<Context>,
) -> Result<Download> {
    let name = format!("{}.{}", how.entity, how.format);
    let media_type =
        if how.format == Format::Csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
    let reach = who.reach();
    let export = Export { crm, reach, how, after: None, is_begun: false, is_over: false };
    Ok(Download(
        HttpResponse::Ok()
            .content_type(media_type)
            .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment(name)))
            .streaming(Box::pin(parts(export).map_err(actix_web::Error::from))),
    ))
}

/// Parts of the file; what fails ends it before its end, which the client notices.
fn parts(export: Export) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(export, |mut export| async move {
        if export.is_over {
            return Ok(None);
        }
        let records = export.next().await?;
        export.is_over = i64::try_from(records.len()).is_ok_and(|count| count < AT_A_TIME);
        let part = export.write(&records)?;
        Ok(Some((part, export)))
    })
}

impl Export {
    /// The next records, the oldest first.
    async fn next(&mut self) -> Result<Vec<Map<String, Value>>> {
        let mut conn = self.crm.read().await?;
        let (after, reach) = (self.after, self.reach.clone());
        macro_rules! page {
            ($module:ident, $filter:expr) => {{
                let after = after.map(|(at, id)| (at, id.into()));
                let order = $module::Order::CreatedAt(after);
                let found = $module::list(&mut conn, &$filter, order, false, AT_A_TIME).await?;
                self.after = found.last().map(|it| (it.created_at, it.id.into())).or(self.after);
                found.iter().map(object).collect()
            }};
        }
        match self.how.entity {
            Entity::Leads => page!(lead, lead::Filter::all(reach)),
            Entity::Contacts => page!(contact, contact::Filter::all(reach)),
            Entity::Accounts => page!(account, account::Filter::all(reach)),
            Entity::Opportunities => page!(opportunity, opportunity::Filter::all(reach)),
        }
    }

    fn write(&mut self, records: &[Map<String, Value>]) -> Result<Bytes> {
        let failed =
            |error: &dyn std::error::Error| Problem::new(bhiv_web::codes::INTERNAL, error.to_string());
        if self.how.format == Format::Ndjson {
            let mut text = Vec::new();
            for record in records {
                serde_json::to_writer(&mut text, record).map_err(|error| failed(&error))?;
                text.push(b'\n');
            }
            return Ok(text.into());
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in records {
            if !self.is_begun {
                self.is_begun = true;
                writer.write_record(record.keys()).map_err(|error| failed(&error))?;
            }
            writer.write_record(record.values().map(cell)).map_err(|error| failed(&error))?;
        }
        writer.into_inner().map(Bytes::from).map_err(|error| failed(error.error()))
    }
}

fn object(record: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(bhiv_web::codes::INTERNAL.into()),
    }
}

/// A value in a cell. What a spreadsheet would take for a formula is kept from being one.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    };
    if text.starts_with(['=', '+', '-', '@', '\t']) && text.parse::<f64>().is_err() {
        format!("'{text}")
    } else {
        text
    }
}
