//! Going over the tree and its rows, a part at a time.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, ContentDisposition};
use actix_web::web::{Bytes, Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_ledger::{Finding, Report, Verifier};
use bhiv_service::Context;
use bhiv_web::{Can, Download, FreeForm, MayAnswer, Problem, Result, ValidQuery, codes};
use futures_util::{Stream, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::tree::{Signs, signs};
use crate::domain::notary;
use crate::store::{checkpoint, record, tree};

/// Rows that are read at once.
const AT_A_TIME: i64 = 500;

/// Checkpoints that one part is compared with, at most.
const CHECKPOINTS: i64 = 10_000;

/// Which part.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAudit {
    /// The first row of the part: `next` of the part before.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_000_000_000)]
    from: u64,
    /// Instead: audit rows with higher ids than this are looked for in the tree; `next_row` of the part before.
    after_row: Option<Uuid>,
    /// How many rows are gone over.
    #[serde(default = "usual")]
    #[schema(minimum = 1, maximum = 50_000, default = 10_000)]
    limit: i64,
}

fn usual() -> i64 {
    10_000
}

/// What was found in this part of the tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerification {
    /// Whether everything of this part is what it was.
    ok: bool,
    /// The first thing that does not fit.
    #[schema(value_type = Option<FreeForm>)]
    first: Option<Finding>,
    /// All that does not fit, up to 200, the first one first.
    #[schema(value_type = Vec<FreeForm>)]
    findings: Vec<Finding>,
    /// The first row of this part.
    from: u64,
    /// The first row after it.
    to: u64,
    /// Rows of the whole tree.
    size: u64,
    /// Rows that are what they were when they were numbered.
    intact: u64,
    /// Rows that retention dropped; their leaves are there.
    retired: u64,
    /// Rows that have no place in the tree yet.
    waiting: u64,
    /// Signed checkpoints that fit.
    checkpoints: u64,
    /// `from` of the next part; null when the tree was gone over to its end.
    next: Option<u64>,
    /// `after_row` of the next part, after the tree's end; null when there is no more.
    next_row: Option<Uuid>,
}

pub async fn verify(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<VerifyAudit>,
    _: MayAnswer<503>,
    notary: Data<Signs>,
    logging: Data<Context>,
) -> Result<Json<AuditVerification>> {
    let (_, key) = signs(&notary)?.key();
    let mut conn = logging.read().await?;
    let size = tree::size(&mut conn).await?;
    let from = if query.after_row.is_some() { size } else { query.from.min(size) };
    let mut keys = checkpoint::keys(&mut conn).await?;
    keys.push(key);
    let keys = notary::keys(keys);
    let limit = query.limit;
    let to = size.min(from.saturating_add(u64::try_from(limit).unwrap_or_default()));
    // At the end also those that say that there was more.
    let upto = if to == size { i64::MAX } else { signed(to) };
    let notes = checkpoint::list_above(&mut conn, signed(from), upto, CHECKPOINTS).await?;
    let frontier = tree::frontier(&mut conn, from).await?;
    let mut verifier = Verifier::resume(frontier, &keys, notes.iter().map(|it| it.note.as_str()));
    let (mut at, mut left) = (from, limit);
    while at < to {
        let records = record::of_leaves(&mut conn, at, left.min(AT_A_TIME)).await?;
        let Some(last) = records.last().and_then(|record| record.leaf_index) else { break };
        for record in &records {
            verifier.take(record);
        }
        (at, left) = (last + 1, left - i64::try_from(records.len()).unwrap_or(left));
    }
    let (reached, root) = (verifier.size(), verifier.root());
    let mut next_row = None;
    if at >= size && left > 0 {
        let after = query.after_row.unwrap_or_default();
        let (strays, last) = record::without_leaf(&mut conn, after, left).await?;
        for record in &strays {
            verifier.take(record);
        }
        next_row = last;
    } else if at >= size {
        next_row = Some(Uuid::nil());
    }
    let Report { mut findings, intact, retired, waiting, checkpoints, .. } = verifier.finish(at >= size);
    // Otherwise what the next part begins with would not be what this one ends with.
    if findings.is_empty() && reached > from && tree::hash(&mut conn, 0..reached).await? != root {
        findings.push(Finding::Rewritten { from, size: reached });
    }
    Ok(Json(AuditVerification {
        ok: findings.is_empty(),
        first: findings.first().cloned(),
        findings,
        from,
        to: at,
        size,
        intact,
        retired,
        waiting,
        checkpoints,
        next: (at < size).then_some(at),
        next_row,
    }))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How far an export is.
enum Export {
    Leaves { from: u64, upto: u64 },
    Rows { after: Uuid },
    Over,
}

/// From where to where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportAudit {
    /// The first leaf.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_000_000_000)]
    from: u64,
    /// The first leaf that is not in it; to the end, and the rows that have no leaf after it, unless it says otherwise.
    #[schema(minimum = 0, maximum = 2_000_000_000)]
    to: Option<u64>,
}

pub async fn export(
    _: Can<LoggingRead>,
    ValidQuery(ExportAudit { from, to }): ValidQuery<ExportAudit>,
    logging: Data<Context>,
) -> Result<Download> {
    let export = Export::Leaves { from, upto: to.unwrap_or(u64::MAX) };
    Ok(Download(
        HttpResponse::Ok()
            .content_type("application/x-ndjson")
            .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment("audit.ndjson")))
            .streaming(Box::pin(parts(logging, export).map_err(actix_web::Error::from))),
    ))
}

/// Some hundred records at a time; what fails ends it before its end, which the client notices.
fn parts(logging: Data<Context>, export: Export) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(export, move |mut export| {
        let logging = logging.clone();
        async move {
            let records = match export {
                Export::Over => return Ok(None),
                Export::Leaves { from, upto } => {
                    let limit = signed(upto.saturating_sub(from)).min(AT_A_TIME);
                    let records = record::of_leaves(&mut *logging.read().await?, from, limit).await?;
                    let last = records.last().and_then(|record| record.leaf_index);
                    export = match last {
                        Some(last) => Export::Leaves { from: last + 1, upto },
                        None if upto == u64::MAX => Export::Rows { after: Uuid::nil() },
                        None => Export::Over,
                    };
                    records
                }
                Export::Rows { after } => {
                    let mut conn = logging.read().await?;
                    let (records, last) = record::without_leaf(&mut conn, after, AT_A_TIME).await?;
                    export = last.map_or(Export::Over, |after| Export::Rows { after });
                    records
                }
            };
            let mut text = Vec::new();
            for record in records {
                serde_json::to_writer(&mut text, &record)
                    .map_err(|error| Problem::new(codes::INTERNAL, error.to_string()))?;
                text.push(b'\n');
            }
            Ok(Some((Bytes::from(text), export)))
        }
    })
}
