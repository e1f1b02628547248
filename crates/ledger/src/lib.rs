//! The append-only Merkle tree over audit rows (RFC 6962, RFC 9162), shared by who keeps it and who checks it.
//!
//! A [`Row`] in canonical form is a leaf. The order of the leaves is that in which logging numbered them. Stored are
//! the leaves' hashes and the nodes of every eighth level; [`tree::spans`] says which of them make the hash of any
//! range, so that a proof reads some hundred hashes, however many rows there are. A [`Checkpoint`] is the root of a
//! size, signed (C2SP `tlog-checkpoint`). A [`Verifier`] goes over records and says what does not fit.

mod checkpoint;
mod finding;
mod hash;
mod proof;
mod record;
mod row;
/// Hashes of ranges of leaves.
pub mod tree;
mod verifier;

pub use checkpoint::{Bad, Checkpoint, LogKeys};
pub use finding::Finding;
pub use hash::Hash;
pub use proof::{NoProof, Range, consistency_ranges, inclusion_ranges, is_consistent, is_included};
pub use record::{Record, RecordState};
pub use row::Row;
pub use verifier::{Report, Verifier};
