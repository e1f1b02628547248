use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use bhiv_db::DieselError;
use bhiv_ledger::Row;
use bhiv_ledger::tree::Frontier;
use bhiv_outbox::{Command, Fault, Tx};
use chrono::TimeDelta;

use crate::domain::kind::LogKind;
use crate::domain::notary::Notary;
use crate::store::checkpoint::{self, AuditCheckpoint};
use crate::store::entry;
use crate::store::tree::{self, Leaf};

/// Rows that are numbered at a time.
pub const AT_A_TIME: usize = 1_000;

/// Gives audit rows that came in their places in the tree, and signs its root when it is time. One replica does at a
/// time; the others find that it is done.
#[derive(Clone, Debug)]
pub struct NumberAudit {
    /// Who signs; nobody, if no key is configured.
    pub notary: Option<Arc<Notary>>,
    /// Time between two checkpoints.
    pub every: TimeDelta,
}

impl Command for NumberAudit {
    type Output = usize;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        if !tree::lock(tx.conn()).await? {
            return Ok(0);
        }
        let ids = tree::waiting(tx.conn(), i64::try_from(AT_A_TIME).unwrap_or(i64::MAX)).await?;
        let size = tree::size(tx.conn()).await?;
        let mut frontier = tree::frontier(tx.conn(), size).await?;
        let rows = entry::of_kind(tx.conn(), LogKind::Audit, &ids).await?;
        let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, Row::from(row))).collect();
        let (mut leaves, mut nodes) = (Vec::new(), Vec::new());
        for id in &ids {
            // A row that somebody took away before it was numbered leaves nothing behind.
            let Some(row) = rows.remove(id) else { continue };
            let hash = row.leaf().map_err(|error| DieselError::SerializationError(error.into()))?;
            leaves.push(Leaf { index: frontier.size(), entry_id: *id, hash });
            nodes.extend(frontier.push(hash));
        }
        tree::append(tx.conn(), &leaves, &nodes).await?;
        tree::numbered(tx.conn(), &ids).await?;
        if ids.len() < AT_A_TIME {
            self.sign(tx, &frontier).await?;
        }
        Ok(ids.len())
    }

    fn is_alone(&self) -> bool {
        true
    }
}

impl NumberAudit {
    async fn sign(&self, tx: &mut Tx, frontier: &Frontier) -> Result<(), DieselError> {
        let Some(notary) = &self.notary else { return Ok(()) };
        let size = i64::try_from(frontier.size()).unwrap_or(i64::MAX);
        let last = checkpoint::latest(tx.conn()).await?;
        let is_time = last.is_none_or(|last| last.size < size && tx.now() - last.signed_at >= self.every);
        if size == 0 || !is_time {
            return Ok(());
        }
        let signed_at = tx.now();
        let (id, key) = notary.key();
        checkpoint::insert_key(tx.conn(), id, &key, signed_at).await?;
        let note = notary.sign(frontier.size(), frontier.root());
        checkpoint::insert(tx.conn(), &AuditCheckpoint { size, note, signed_at }).await?;
        Ok(())
    }
}
