//! What the tree over audit rows proves.

use std::sync::Arc;

use actix_web::web::{Data, Json};
use bhiv_auth::require::LoggingRead;
use bhiv_ledger::{Hash, NoProof, consistency_ranges, inclusion_ranges};
use bhiv_service::Context;
use bhiv_web::{Can, FreeForm, Id, Limit, MayAnswer, Problem, Result, ValidQuery};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;
use crate::domain::notary::{self, Notary};
use crate::error::{NO_CHECKPOINT, NO_PROOF, NOT_AN_AUDIT_ROW, NOT_NUMBERED, signing_key_missing};
use crate::store::checkpoint::{self, AuditCheckpoint};
use crate::store::entry::{self, LogEntry};
use crate::store::tree;

/// Who signs, if a key is configured.
pub type Signs = Option<Arc<Notary>>;

/// Who signs; a problem that names the setting if nobody does.
pub fn signs(notary: &Data<Signs>) -> Result<&Notary> {
    notary.as_ref().as_deref().ok_or_else(signing_key_missing)
}

/// The tree as it was signed last.
pub async fn latest(
    _: Can<LoggingRead>,
    _: MayAnswer<503>,
    notary: Data<Signs>,
    logging: Data<Context>,
) -> Result<Json<AuditCheckpoint>> {
    signs(&notary)?;
    let latest = checkpoint::latest(&mut *logging.read().await?).await?;
    latest.map(Json).ok_or_else(|| NO_CHECKPOINT.into())
}

/// Which checkpoints.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCheckpoints {
    /// Those with fewer rows.
    #[schema(minimum = 0)]
    below: Option<i64>,
    #[serde(default)]
    limit: Limit,
}

/// Checkpoints, the largest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheckpoints {
    /// They.
    items: Vec<AuditCheckpoint>,
    /// `below` for the next part; null at the end.
    next_below: Option<i64>,
}

pub async fn list(
    _: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<ListCheckpoints>,
    logging: Data<Context>,
) -> Result<Json<AuditCheckpoints>> {
    let below = query.below.unwrap_or(i64::MAX);
    let limit = query.limit.and_one();
    let mut items = checkpoint::list_below(&mut *logging.read().await?, below, limit).await?;
    let most = usize::try_from(limit - 1).unwrap_or_default();
    let has_more = items.len() > most;
    items.truncate(most);
    let next_below = items.last().filter(|_| has_more).map(|last| last.size);
    Ok(Json(AuditCheckpoints { items, next_below }))
}

/// The keys that checkpoints are signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditKeys {
    /// The name of the log: the first line of each checkpoint.
    origin: String,
    /// Public keys (JWK), the newest first.
    #[schema(value_type = Vec<FreeForm>)]
    keys: Vec<Value>,
    /// The same as verifiers of signed notes read them.
    verifier_keys: Vec<String>,
}

pub async fn keys(
    _: Can<LoggingRead>,
    _: MayAnswer<503>,
    notary: Data<Signs>,
    logging: Data<Context>,
) -> Result<Json<AuditKeys>> {
    let notary = signs(&notary)?;
    let mut keys = checkpoint::keys(&mut *logging.read().await?).await?;
    let (_, current) = notary.key();
    if !keys.contains(&current) {
        keys.insert(0, current);
    }
    let origin = notary.origin().to_owned();
    let verifier_keys = notary::keys(keys.clone()).verifier_keys(&origin);
    Ok(Json(AuditKeys { origin, keys, verifier_keys }))
}

/// An audit row, and the proof that it is in the tree that was signed.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditProof {
    /// The row as it is stored: what is sealed in it stays sealed, as it is what was hashed.
    row: LogEntry,
    /// Number of its leaf.
    leaf_index: u64,
    /// SHA-256 of a zero byte and the row's canonical JSON (RFC 8785), in Base64.
    #[schema(value_type = String)]
    leaf_hash: Hash,
    /// The checkpoint that it is proved for: the first one that has it, or that of the size asked for.
    checkpoint: AuditCheckpoint,
    /// The inclusion proof (RFC 9162, 2.1.3), from the leaf upward, in Base64.
    #[schema(value_type = Vec<String>)]
    proof: Vec<Hash>,
}

pub async fn proof(
    _: Can<LoggingRead>,
    Id(id): Id<EntryId>,
    _: MayAnswer<409>,
    _: MayAnswer<503>,
    notary: Data<Signs>,
    logging: Data<Context>,
) -> Result<Json<AuditProof>> {
    signs(&notary)?;
    let mut conn = logging.read().await?;
    let row = entry::find(&mut conn, id).await?.ok_or_else(|| Problem::not_found(format!("audit/{id}")))?;
    if row.kind != LogKind::Audit {
        return Err(NOT_AN_AUDIT_ROW.into());
    }
    let wait = || Problem::from(NOT_NUMBERED).retry_after(5);
    let leaf_index = tree::index_of(&mut conn, id).await?.ok_or_else(wait)?;
    let least = i64::try_from(leaf_index).unwrap_or(i64::MAX);
    let checkpoint = checkpoint::first_above(&mut conn, least).await?.ok_or_else(wait)?;
    let size = u64::try_from(checkpoint.size).unwrap_or_default();
    let proof = tree::hashes(&mut conn, inclusion_ranges(leaf_index, size).map_err(no_proof)?).await?;
    let leaf_hash = tree::hash(&mut conn, leaf_index..leaf_index + 1).await?;
    Ok(Json(AuditProof { row, leaf_index, leaf_hash, checkpoint, proof }))
}

/// Which sizes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhichSizes {
    /// Rows of the smaller tree.
    #[schema(minimum = 1, maximum = 2_000_000_000)]
    from: u64,
    /// Rows of the larger one; as many as the last checkpoint has, unless it says otherwise.
    #[schema(minimum = 1, maximum = 2_000_000_000)]
    to: Option<u64>,
}

/// The proof that a larger tree begins with all of a smaller one.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditConsistency {
    /// Rows of the smaller one.
    from: u64,
    /// Its root, in Base64.
    #[schema(value_type = String)]
    from_root: Hash,
    /// Rows of the larger one.
    to: u64,
    /// Its root, in Base64.
    #[schema(value_type = String)]
    to_root: Hash,
    /// The consistency proof (RFC 9162, 2.1.4), in Base64.
    #[schema(value_type = Vec<String>)]
    proof: Vec<Hash>,
}

pub async fn consistency(
    _: Can<LoggingRead>,
    ValidQuery(WhichSizes { from, to }): ValidQuery<WhichSizes>,
    _: MayAnswer<503>,
    notary: Data<Signs>,
    logging: Data<Context>,
) -> Result<Json<AuditConsistency>> {
    signs(&notary)?;
    let mut conn = logging.read().await?;
    let size = tree::size(&mut conn).await?;
    let to = if let Some(to) = to {
        to
    } else {
        let latest = checkpoint::latest(&mut conn).await?.ok_or(NO_CHECKPOINT)?;
        u64::try_from(latest.size).unwrap_or_default()
    };
    if to > size {
        let says = format!("the tree has {size} rows");
        return Err(Problem::new(NO_PROOF, says.clone()).at("?to", says));
    }
    let proof = tree::hashes(&mut conn, consistency_ranges(from, to).map_err(no_proof)?).await?;
    let from_root = tree::hash(&mut conn, 0..from).await?;
    let to_root = tree::hash(&mut conn, 0..to).await?;
    Ok(Json(AuditConsistency { from, from_root, to, to_root, proof }))
}

fn no_proof(error: NoProof) -> Problem {
    Problem::new(NO_PROOF, error.to_string()).at("?from", "is at least 1 and at most ?to")
}
