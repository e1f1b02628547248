use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The row is not what it was when it was numbered.
    Changed {
        /// Number of its leaf.
        leaf_index: u64,
        /// The row.
        entry_id: Uuid,
    },
    /// The row is gone, its leaf is not.
    Removed {
        /// Number of its leaf.
        leaf_index: u64,
        /// The row.
        entry_id: Uuid,
    },
    /// Leaves are gone.
    LeavesMissing {
        /// The first of them.
        leaf_index: u64,
        /// How many.
        count: u64,
    },
    /// The row has no leaf and waits for none: it did not come in as others do.
    Inserted {
        /// The row.
        entry_id: Uuid,
    },
    /// The leaves do not make the root that was signed: one of them was changed together with its row, or another
    /// one was put before them.
    Rewritten {
        /// The first leaf that it may be.
        from: u64,
        /// The size of the checkpoint that does not fit: it is one of the leaves before.
        size: u64,
    },
    /// There are fewer leaves than a checkpoint says: the end was cut off.
    Truncated {
        /// The first leaf that is missing.
        leaf_index: u64,
        /// How many there were.
        size: u64,
    },
    /// A checkpoint is not what was signed.
    BadCheckpoint {
        /// How many rows it says.
        size: u64,
        /// What is wrong with it.
        why: String,
    },
}

impl Finding {
    /// Where it is, so that the first one can be named.
    pub(crate) fn place(&self) -> u64 {
        match self {
            Self::Changed { leaf_index, .. }
            | Self::Removed { leaf_index, .. }
            | Self::LeavesMissing { leaf_index, .. }
            | Self::Truncated { leaf_index, .. } => *leaf_index,
            Self::Rewritten { from, .. } => *from,
            Self::BadCheckpoint { size, .. } => *size,
            Self::Inserted { .. } => u64::MAX,
        }
    }
}
