use actix_web::web::{Data, Json};
use bhiv_auth::require::{CrmRead, CrmWrite};
use bhiv_db::Conn;
use bhiv_service::Context;
use bhiv_web::{Accepted, Can, Cursor, Id, Limit, Page, Problem, Result, Table, ValidQuery, checked, codes};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::By;
use crate::commands::import_rows::key_of;
use crate::commands::receive_import::{BeginImport, EndReceiving, TakeRows};
use crate::domain::ids::LeadId;
use crate::domain::import::{OnError, Row, RowOutcome, Rows};
use crate::domain::lead::NewLead;
use crate::error::ROW_TOO_LARGE;
use crate::store::Owned as _;
use crate::store::import::{self, Import, ImportRow};

/// Rows that are written at once.
const AT_A_TIME: usize = 500;

/// How a file is imported.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HowToImport {
    /// What happens when a row is bad: nothing is imported, unless it says that the good ones are.
    #[serde(default)]
    on_error: OnError,
}

/// Takes a file as it comes: never more than some hundred rows of it are in memory.
pub async fn create(
    who: Can<CrmWrite>,
    ValidQuery(HowToImport { on_error }): ValidQuery<HowToImport>,
    table: Table,
    crm: Data<Context>,
) -> Result<Accepted<Import>> {
    let begin = BeginImport { on_error, by: By::from(&*who.caller) };
    // The rows have no key of their own to be repeated by: what comes again is found by what it says.
    let origin = bhiv_outbox::Origin { idempotency: None, ..who.origin() };
    let import = crm.run(origin.clone(), begin).await?;
    let received = receive(&crm, &origin, import.id, table).await;
    let end = EndReceiving { id: import.id, is_whole: received.is_ok() };
    let import = crm.run(origin, end).await?.unwrap_or(import);
    received?;
    Ok(Accepted::at(format!("/crm/imports/{}", import.id), import))
}

async fn receive(crm: &Context, origin: &bhiv_outbox::Origin, id: Uuid, table: Table) -> Result<()> {
    let (mut rows, mut body) = (Rows::new(table.is_csv), table.body);
    let mut waiting = Vec::new();
    let too_large = |error: crate::domain::import::TooLarge| Problem::new(ROW_TOO_LARGE, error.to_string());
    while let Some(part) = body.next().await {
        let part = part.map_err(|error| Problem::new(codes::BAD_REQUEST, error.to_string()))?;
        waiting.extend(rows.feed(&part).map_err(too_large)?.into_iter().map(|row| read(id, row)));
        while waiting.len() >= AT_A_TIME {
            let rest = waiting.split_off(AT_A_TIME);
            let rows = std::mem::replace(&mut waiting, rest);
            crm.run(origin.clone(), TakeRows(rows)).await?;
        }
    }
    waiting.extend(rows.end().map_err(too_large)?.into_iter().map(|row| read(id, row)));
    if !waiting.is_empty() {
        crm.run(origin.clone(), TakeRows(waiting)).await?;
    }
    Ok(())
}

/// A row as it is kept: what it says, or everything that is wrong with it.
fn read(import_id: Uuid, row: Row) -> ImportRow {
    let kept = |outcome, key, data, faults| ImportRow {
        import_id,
        line: row.line,
        key,
        data,
        outcome,
        faults,
        lead_id: None,
    };
    let mut fields: Map<String, Value> = match row.fields {
        Ok(fields) => fields,
        Err(fault) => {
            let faults = json!([{ "pointer": "", "message": fault }]);
            return kept(RowOutcome::Refused, None, None, Some(faults));
        }
    };
    let key = key_of(&fields);
    fields.remove("external_id");
    let value = Value::Object(fields);
    match checked::<NewLead>(&value) {
        Ok(_) => kept(RowOutcome::Pending, key, Some(value), None),
        Err(problem) => {
            let faults = serde_json::to_value(problem.errors()).unwrap_or_default();
            kept(RowOutcome::Refused, key, None, Some(faults))
        }
    }
}

/// How many imports.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListImports {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    who: Can<CrmRead>,
    ValidQuery(ListImports { limit, cursor }): ValidQuery<ListImports>,
    crm: Data<Context>,
) -> Result<Json<Page<Import>>> {
    let mut conn = crm.read().await?;
    let found = import::list(&mut conn, &who.reach(), Cursor::id(cursor), limit.and_one()).await?;
    let total = import::count(&mut conn, &who.reach()).await?;
    Ok(Json(Page::new(found, limit, total, |import| import.id)))
}

async fn seen(conn: &mut Conn, id: Uuid, who: &Can<CrmRead>) -> Result<Import> {
    let import = import::find(conn, id).await?.and_then(|import| import.within(&who.reach()));
    import.ok_or_else(|| Problem::not_found(format!("import/{id}")))
}

pub async fn show(who: Can<CrmRead>, Id(id): Id<Uuid>, crm: Data<Context>) -> Result<Json<Import>> {
    seen(&mut *crm.read().await?, id, &who).await.map(Json)
}

/// Which rows, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRows {
    /// Those of which that became.
    outcome: Option<RowOutcome>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedRow {
    /// The line on which it begins, from 1.
    line: i32,
    /// What became of it.
    outcome: RowOutcome,
    /// Everything that is wrong with it: `pointer` and `message` of each fault.
    #[schema(value_type = Option<Vec<Object>>)]
    faults: Option<Value>,
    /// The lead that it is.
    lead_id: Option<LeadId>,
}

pub async fn rows(
    who: Can<CrmRead>,
    Id(id): Id<Uuid>,
    ValidQuery(ListRows { outcome, limit, cursor }): ValidQuery<ListRows>,
    crm: Data<Context>,
) -> Result<Json<Page<ImportedRow>>> {
    let after = Cursor::place::<i32, Uuid>(cursor)?.map(|(line, _)| line);
    let mut conn = crm.read().await?;
    seen(&mut conn, id, &who).await?;
    let found = import::rows(&mut conn, id, outcome, after, limit.and_one()).await?;
    let total = import::count_rows(&mut conn, id, outcome).await?;
    let shown = found.into_iter().map(|row| {
        let ImportRow { line, outcome, faults, lead_id, .. } = row;
        ImportedRow { line, outcome, faults, lead_id }
    });
    Ok(Json(Page::new(shown.collect(), limit, total, |row| Cursor::at(&row.line, id))))
}
