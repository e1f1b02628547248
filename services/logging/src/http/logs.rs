use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition};
use actix_web::web::{Bytes, Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, Download, Id, Limit, Problem, Result, ValidQuery, codes};
use futures_util::{Stream, TryStreamExt as _, stream};

use super::page::{LogCursor, LogPage};
use super::query::filtered;
use crate::domain::ids::EntryId;
use crate::domain::vault::Vault;
use crate::store::entry::{self, Filter, LogEntry, Place};
use crate::store::opened;

/// Opens what is sealed, if a master key is configured.
pub type Opens = Option<Arc<Vault>>;

/// Entries that an export reads at once: so many are in memory, however many there are.
const AT_A_TIME: i64 = 500;

filtered! {
    /// Which entries, and how many of them.
    pub struct ListLogs {
        #[serde(default)]
        limit: Limit,
        #[serde(default)]
        cursor: Option<LogCursor>,
    }
}

pub async fn list(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<ListLogs>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Json<LogPage>> {
    let filter = query.filter("?q")?;
    Ok(Json(page(&logging, &opens, &filter, query.limit, query.cursor).await?))
}

/// A part of a list, opened.
pub async fn page(
    logging: &Context,
    opens: &Opens,
    filter: &Filter,
    limit: Limit,
    cursor: Option<LogCursor>,
) -> Result<LogPage> {
    let mut conn = logging.read().await?;
    let (mut logs, count) = entry::part(&mut conn, filter, LogCursor::place(cursor), limit.and_one()).await?;
    opened::open(&mut conn, opens.as_deref(), &mut logs).await?;
    Ok(LogPage::new(logs, limit, count))
}

pub async fn read(
    _: Can<LoggingRead>,
    Id(id): Id<EntryId>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Json<LogEntry>> {
    let mut conn = logging.read().await?;
    let found = entry::find(&mut conn, id).await?;
    let mut found = found.ok_or_else(|| Problem::not_found(format!("entry {id}")))?;
    opened::open(&mut conn, opens.as_deref(), std::slice::from_mut(&mut found)).await?;
    Ok(Json(found))
}

filtered! {
    /// Which entries are exported.
    pub struct ExportLogs {}
}

/// How far an export is.
struct Export {
    logging: Data<Context>,
    opens: Data<Opens>,
    filter: Filter,
    after: Option<Place>,
    is_over: bool,
}

pub async fn export(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<ExportLogs>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<Download> {
    let filter = query.filter("?q")?;
    let export = Export { logging, opens, filter, after: None, is_over: false };
    Ok(Download(
        HttpResponse::Ok()
            .content_type("application/x-ndjson")
            .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment("logs.ndjson")))
            .streaming(Box::pin(parts(export).map_err(actix_web::Error::from))),
    ))
}

/// Each part begins where the one before ended, so no transaction stays open; what fails ends the file before its end,
/// which the client notices.
fn parts(export: Export) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(export, |mut export| async move {
        if export.is_over {
            return Ok(None);
        }
        let mut conn = export.logging.read().await?;
        let mut logs = entry::list(&mut conn, &export.filter, export.after, AT_A_TIME).await?;
        opened::open(&mut conn, export.opens.as_ref().as_deref(), &mut logs).await?;
        drop(conn);
        export.after = logs.last().map(|last| (last.timestamp, last.id));
        export.is_over = i64::try_from(logs.len()).is_ok_and(|count| count < AT_A_TIME);
        let mut text = Vec::new();
        for entry in logs {
            serde_json::to_writer(&mut text, &entry)
                .map_err(|error| Problem::new(codes::INTERNAL, error.to_string()))?;
            text.push(b'\n');
        }
        Ok(Some((Bytes::from(text), export)))
    })
}
