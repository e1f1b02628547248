//! Leaves with their rows, as they are exported and gone over.

use std::collections::{HashMap, HashSet};

use bhiv_db::Conn;
use bhiv_ledger::{Record, RecordState, Row};
use diesel::prelude::*;
use uuid::Uuid;

use super::{entry, partition, tree};
use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;

/// Up to `limit` leaves with their rows, beginning with number `from`.
pub async fn of_leaves(conn: &mut Conn, from: u64, limit: i64) -> QueryResult<Vec<Record>> {
    let leaves = tree::leaves(conn, from, limit).await?;
    let ids: Vec<_> = leaves.iter().map(|leaf| leaf.entry_id).collect();
    let rows = entry::of_kind(conn, LogKind::Audit, &ids).await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, Row::from(row))).collect();
    let retired =
        if rows.len() < leaves.len() { partition::dropped(conn, LogKind::Audit).await? } else { Vec::new() };
    let records = leaves.into_iter().map(|leaf| {
        let is_retired = retired.iter().any(|part| (part.from_id..part.to_id).contains(&leaf.entry_id));
        Record {
            leaf_index: Some(leaf.index),
            entry_id: leaf.entry_id.0,
            leaf_hash: Some(leaf.hash),
            state: if is_retired { RecordState::Retired } else { RecordState::Kept },
            row: rows.remove(&leaf.entry_id),
        }
    });
    Ok(records.collect())
}

/// Goes over up to `limit` audit rows with higher ids than `after`, and answers those of them that have no leaf, and the
/// last id that it saw.
pub async fn without_leaf(
    conn: &mut Conn,
    after: Uuid,
    limit: i64,
) -> QueryResult<(Vec<Record>, Option<Uuid>)> {
    let ids = entry::audit_ids(conn, after, limit).await?;
    let last = ids.last().map(|id| id.0);
    let known: HashSet<EntryId> = tree::with_leaf(conn, &ids).await?.into_iter().collect();
    let without: Vec<_> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    let waiting: HashSet<EntryId> = tree::still_waiting(conn, &without).await?.into_iter().collect();
    let numbered: HashSet<EntryId> = tree::with_leaf(conn, &without).await?.into_iter().collect();
    // Some may have been numbered since.
    let without = without.into_iter().filter(|id| !numbered.contains(id));
    let records = without.map(|id| Record {
        leaf_index: None,
        entry_id: id.0,
        leaf_hash: None,
        state: if waiting.contains(&id) { RecordState::Waiting } else { RecordState::Kept },
        row: None,
    });
    Ok((records.collect(), last))
}
