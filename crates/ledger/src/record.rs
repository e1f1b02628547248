use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Hash, Row};

/// One leaf and the row that it is of, or a row without a leaf: a line of the export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The number of the leaf; null of a row that has none.
    pub leaf_index: Option<u64>,
    /// The row.
    pub entry_id: Uuid,
    /// The leaf's hash, as it was stored when the row was numbered.
    pub leaf_hash: Option<Hash>,
    /// What is known of the row.
    pub state: RecordState,
    /// The row as it is stored now.
    pub row: Option<Row>,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// It should be there.
    Kept,
    /// Its time was over, and it was dropped with all others of its time, of which there is a record.
    Retired,
    /// It is not numbered yet.
    Waiting,
}

impl Record {
    pub(crate) fn row_is_its_own(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.id == self.entry_id)
    }
}
