use ct_merkle::digest::Output;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ct_merkle::{indices_for_consistency_proof, indices_for_inclusion_proof};
use sha2::Sha256;

use crate::Hash;

/// Leaves from `start` up to but not including `end`, which one node of a tree stands for.
pub type Range = std::ops::Range<u64>;

/// Why there is no such proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// The tree has no such leaf.
    #[error("a tree of {size} rows has no row {index}")]
    NoLeaf {
        /// Which leaf.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// The sizes are not in order, or the first is that of an empty tree.
    #[error("from {from} to {to} rows nothing can be proved: from is at least 1 and at most to")]
    Sizes {
        /// The smaller size.
        from: u64,
        /// The larger one.
        to: u64,
    },
}

/// Larger trees than any that there will be; what is larger is no size.
const MOST: u64 = 1 << 48;

/// The ranges whose hashes prove, from the leaf upward, that the leaf `index` is in the tree of `size` leaves.
///
/// # Errors
/// When the tree has no such leaf.
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range>, NoProof> {
    if index >= size || size > MOST {
        return Err(NoProof::NoLeaf { index, size });
    }
    Ok(indices_for_inclusion_proof(size, index).into_iter().map(|node| range(node, size)).collect())
}

/// The ranges whose hashes prove that the first `from` leaves of the tree of `to` leaves are those that they were.
///
/// # Errors
/// When the sizes are not in order.
pub fn consistency_ranges(from: u64, to: u64) -> Result<Vec<Range>, NoProof> {
    if from == 0 || from > to || to > MOST {
        return Err(NoProof::Sizes { from, to });
    }
    Ok(indices_for_consistency_proof(from, to - from).into_iter().map(|node| range(node, to)).collect())
}

/// Nodes are numbered as in RFC 9420, appendix C: the leaf `i` is `2 i`, and a node's level is how many ones it ends
/// with.
fn range(node: u64, size: u64) -> Range {
    let level = node.trailing_ones();
    let start = (node - ((1 << level) - 1)) / 2;
    start..(start + (1 << level)).min(size)
}

/// Whether the proof shows that the leaf with this content is number `index` of the tree with this size and root.
pub fn is_included(content: &[u8], index: u64, size: u64, root: Hash, proof: &[Hash]) -> bool {
    let proof = InclusionProof::from_digests(&outputs(proof));
    size <= MOST && tree(size, root).verify_inclusion(&content, index, &proof).is_ok()
}

/// Whether the proof shows that the larger tree begins with all of the smaller one. Each is a size and a root.
pub fn is_consistent(from: (u64, Hash), to: (u64, Hash), proof: &[Hash]) -> bool {
    let proof = ConsistencyProof::from_digests(&outputs(proof));
    let (from_tree, to_tree) = (tree(from.0, from.1), tree(to.0, to.1));
    to.0 <= MOST && to_tree.verify_consistency(&from_tree, &proof).is_ok()
}

fn tree(size: u64, root: Hash) -> RootHash<Sha256> {
    RootHash::new(Output::<Sha256>::from(root.0), size)
}

fn outputs(proof: &[Hash]) -> Vec<Output<Sha256>> {
    proof.iter().map(|hash| Output::<Sha256>::from(hash.0)).collect()
}
