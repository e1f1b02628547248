//! The Merkle tree over audit rows: leaves and the nodes of every eighth level.

use bhiv_db::{Conn, DieselError, statement};
use bhiv_ledger::tree::{Frontier, Node, Span, spans};
use bhiv_ledger::{Hash, Range};
use diesel::dsl::{exists, max};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use crate::domain::ids::EntryId;
use crate::schema::{audit_leaves, audit_nodes, audit_waiting};

/// A leaf as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its number.
    pub index: u64,
    /// The row that it is of.
    pub entry_id: EntryId,
    /// Its hash.
    pub hash: Hash,
}

statement! {
    struct InsertLeaves<'a> { indexes: Vec<i64>, ids: Vec<EntryId>, hashes: Vec<&'a [u8]> } -> ();
    "INSERT INTO audit_leaves (leaf_index, entry_id, leaf_hash) SELECT * FROM unnest("
    [indexes: Array<BigInt>] ", " [ids: Array<SqlUuid>] ", " [hashes: Array<Binary>] ")"
}

statement! {
    struct InsertNodes<'a> { levels: Vec<i32>, indexes: Vec<i64>, hashes: Vec<&'a [u8]> } -> ();
    "INSERT INTO audit_nodes (level, node_index, node_hash) SELECT * FROM unnest("
    [levels: Array<Integer>] ", " [indexes: Array<BigInt>] ", " [hashes: Array<Binary>] ")"
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// Whether this transaction is the one that numbers rows: one at a time does.
pub async fn lock(conn: &mut Conn) -> QueryResult<bool> {
    let lock =
        "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.audit_tree', 0)) AS locked";
    let Locked { locked } = diesel::sql_query(lock).get_result(conn).await?;
    Ok(locked)
}

/// Up to `limit` rows that have no leaf yet.
pub async fn waiting(conn: &mut Conn, limit: i64) -> QueryResult<Vec<EntryId>> {
    let ids = audit_waiting::table.select(audit_waiting::entry_id).order(audit_waiting::entry_id);
    ids.limit(limit).load(conn).await
}

/// Those of these rows that have no leaf yet, and are to get one.
pub async fn still_waiting(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<Vec<EntryId>> {
    let waiting = audit_waiting::table.filter(audit_waiting::entry_id.eq_any(ids));
    waiting.select(audit_waiting::entry_id).load(conn).await
}

/// Whether a row with such an id waits for its leaf.
pub async fn has_waiting(conn: &mut Conn, from: EntryId, to: EntryId) -> QueryResult<bool> {
    let waiting = audit_waiting::entry_id.ge(from).and(audit_waiting::entry_id.lt(to));
    diesel::select(exists(audit_waiting::table.filter(waiting))).get_result(conn).await
}

/// The rows wait no more.
pub async fn numbered(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<usize> {
    diesel::delete(audit_waiting::table.filter(audit_waiting::entry_id.eq_any(ids))).execute(conn).await
}

/// How many leaves there are, counted by their numbers.
pub async fn size(conn: &mut Conn) -> QueryResult<u64> {
    let last: Option<i64> =
        audit_leaves::table.select(max(audit_leaves::leaf_index)).get_result(conn).await?;
    Ok(last.map_or(0, |last| unsigned(last) + 1))
}

/// Adds leaves and the nodes that they complete.
pub async fn append(conn: &mut Conn, leaves: &[Leaf], nodes: &[Node]) -> QueryResult<()> {
    let new = InsertLeaves::new(
        leaves.iter().map(|leaf| signed(leaf.index)).collect(),
        leaves.iter().map(|leaf| leaf.entry_id).collect(),
        leaves.iter().map(|leaf| leaf.hash.0.as_slice()).collect(),
    );
    new.execute(conn).await?;
    let new = InsertNodes::new(
        nodes.iter().map(|node| i32::try_from(node.level).unwrap_or(i32::MAX)).collect(),
        nodes.iter().map(|node| signed(node.index)).collect(),
        nodes.iter().map(|node| node.hash.0.as_slice()).collect(),
    );
    new.execute(conn).await?;
    Ok(())
}

/// The number of the leaf of a row, if it has one.
pub async fn index_of(conn: &mut Conn, id: EntryId) -> QueryResult<Option<u64>> {
    let index = audit_leaves::table.filter(audit_leaves::entry_id.eq(id)).select(audit_leaves::leaf_index);
    Ok(index.first(conn).await.optional()?.map(unsigned))
}

/// Those of these rows that have a leaf.
pub async fn with_leaf(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<Vec<EntryId>> {
    let leaves = audit_leaves::table.filter(audit_leaves::entry_id.eq_any(ids));
    leaves.select(audit_leaves::entry_id).load(conn).await
}

/// Up to `limit` leaves, beginning with number `from`.
pub async fn leaves(conn: &mut Conn, from: u64, limit: i64) -> QueryResult<Vec<Leaf>> {
    let rows: Vec<(i64, EntryId, Vec<u8>)> = audit_leaves::table
        .filter(audit_leaves::leaf_index.ge(signed(from)))
        .order(audit_leaves::leaf_index)
        .limit(limit)
        .load(conn)
        .await?;
    let leaf = |(index, entry_id, hash): (i64, EntryId, Vec<u8>)| {
        Ok(Leaf { index: unsigned(index), entry_id, hash: read(&hash)? })
    };
    rows.into_iter().map(leaf).collect()
}

/// The right edge of the tree when it had so many leaves.
pub async fn frontier(conn: &mut Conn, size: u64) -> QueryResult<Frontier> {
    range(conn, 0..size).await
}

/// The hash of the leaves that a node of the tree stands for.
pub async fn hash(conn: &mut Conn, leaves: Range) -> QueryResult<Hash> {
    Ok(range(conn, leaves).await?.root())
}

/// The hashes of several, in their order.
pub async fn hashes(conn: &mut Conn, ranges: Vec<Range>) -> QueryResult<Vec<Hash>> {
    let mut hashes = Vec::with_capacity(ranges.len());
    for range in ranges {
        hashes.push(hash(conn, range).await?);
    }
    Ok(hashes)
}

async fn range(conn: &mut Conn, leaves: Range) -> QueryResult<Frontier> {
    let mut frontier = Frontier::default();
    for span in spans(leaves.start, leaves.end) {
        for hash in nodes(conn, span).await? {
            frontier.push_subtree(span.level, hash);
        }
    }
    Ok(frontier)
}

/// Those of a span; fewer than it says if some are missing, so that no proof fits.
async fn nodes(conn: &mut Conn, span: Span) -> QueryResult<Vec<Hash>> {
    let (from, to) = (signed(span.from), signed(span.to));
    let hashes: Vec<Vec<u8>> = if span.level == 0 {
        let leaves = audit_leaves::table.filter(audit_leaves::leaf_index.ge(from));
        let leaves = leaves.filter(audit_leaves::leaf_index.lt(to)).order(audit_leaves::leaf_index);
        leaves.select(audit_leaves::leaf_hash).load(conn).await?
    } else {
        let level = i32::try_from(span.level).unwrap_or(i32::MAX);
        let nodes = audit_nodes::table.filter(audit_nodes::level.eq(level));
        let nodes = nodes.filter(audit_nodes::node_index.ge(from)).filter(audit_nodes::node_index.lt(to));
        nodes.order(audit_nodes::node_index).select(audit_nodes::node_hash).load(conn).await?
    };
    hashes.iter().map(|hash| read(hash)).collect()
}

fn read(hash: &[u8]) -> QueryResult<Hash> {
    Hash::from_bytes(hash).ok_or_else(|| DieselError::DeserializationError("no hash of 32 bytes".into()))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
