use crate::Hash;

/// Nodes are stored of each level that is a multiple of it: one of them stands for 256 of those below.
pub const STEP: u32 = 8;

/// Stored nodes of one level, side by side: those from `from` up to but not including `to`. Level 0 are the leaves;
/// the node `i` of level `l` stands for the leaves from `i * 2^l` up to but not including `(i + 1) * 2^l`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Span {
    pub level: u32,
    pub from: u64,
    pub to: u64,
}

/// Which stored nodes make the hash of the leaves from `start` up to but not including `end`, from left to right.
/// `start` is a multiple of the smallest power of two that is not less than their number, as it is of every node of a
/// tree. No span is longer than 255 nodes, unless the whole range is one of 256.
pub fn spans(start: u64, end: u64) -> Vec<Span> {
    let mut level = 0;
    while (end - start) >> (level + STEP) > 0 {
        level += STEP;
    }
    let mut spans = Vec::new();
    let mut at = start;
    loop {
        let (from, to) = (at >> level, end >> level);
        if to > from {
            spans.push(Span { level, from, to });
            at = to << level;
        }
        if level == 0 {
            return spans;
        }
        level -= STEP;
    }
}

/// A node that became complete when a leaf was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in a span")]
pub struct Node {
    pub level: u32,
    pub index: u64,
    pub hash: Hash,
}

/// The right edge of a tree: the roots of its complete subtrees, from left to right, each smaller than the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; answers which nodes that are stored it completes.
    pub fn push(&mut self, leaf: Hash) -> Vec<Node> {
        self.add(0, leaf)
    }

    /// Adds a whole subtree of `2^level` leaves to a tree whose size is a multiple of that.
    pub fn push_subtree(&mut self, level: u32, root: Hash) {
        self.add(level, root);
    }

    fn add(&mut self, mut level: u32, mut hash: Hash) -> Vec<Node> {
        let mut complete = Vec::new();
        let end = self.size + (1 << level);
        // As many ones as the size ends with, so many subtrees are joined.
        while self.size >> level & 1 == 1
            && let Some(left) = self.roots.pop()
        {
            hash = Hash::above(&left, &hash);
            level += 1;
            if level.is_multiple_of(STEP) {
                complete.push(Node { level, index: (end >> level) - 1, hash });
            }
        }
        self.roots.push(hash);
        self.size = end;
        complete
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Hash {
        let folded = self.roots.iter().rev().copied().reduce(|right, left| Hash::above(&left, &right));
        folded.unwrap_or_else(Hash::empty)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use sha2::Sha256;

    use super::*;
    use crate::{consistency_ranges, inclusion_ranges, is_consistent, is_included};

    /// The leaves and roots of Certificate Transparency's reference implementation, which RFC 6962's example tree of
    /// seven leaves is drawn from.
    const LEAVES: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hex(hash: Hash) -> String {
        hash.0.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn roots_are_those_of_the_reference_implementation() {
        let mut frontier = Frontier::default();
        assert_eq!(hex(frontier.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in LEAVES.iter().zip(ROOTS) {
            frontier.push(Hash::of_leaf(leaf));
            assert_eq!(hex(frontier.root()), root);
        }
    }

    /// What a database would have stored, and the same tree in memory by ct-merkle.
    struct Both {
        stored: HashMap<(u32, u64), Hash>,
        frontier: Frontier,
        memory: MemoryBackedTree<Sha256, Vec<u8>>,
    }

    impl Both {
        fn of(leaves: u64) -> Self {
            let mut both = Self {
                stored: HashMap::new(),
                frontier: Frontier::default(),
                memory: MemoryBackedTree::new(),
            };
            for number in 0..leaves {
                let content = number.to_be_bytes();
                let leaf = Hash::of_leaf(&content);
                both.stored.insert((0, number), leaf);
                for node in both.frontier.push(leaf) {
                    both.stored.insert((node.level, node.index), node.hash);
                }
                both.memory.push(content.to_vec());
            }
            both
        }

        fn hash(&self, start: u64, end: u64) -> Hash {
            let mut frontier = Frontier::default();
            for span in spans(start, end) {
                assert!(span.to - span.from <= 256, "{span:?}");
                for index in span.from..span.to {
                    frontier.push_subtree(span.level, self.stored[&(span.level, index)]);
                }
            }
            frontier.root()
        }
    }

    #[test]
    fn what_is_stored_is_enough_for_every_proof() {
        for size in [1, 2, 3, 255, 256, 257, 700, 1_025] {
            let both = Both::of(size);
            let root = both.hash(0, size);
            assert_eq!(root, both.frontier.root());
            assert_eq!(root.0, **both.memory.root().as_bytes());
            for index in [0, 1, 254, 255, 256, 511, 699, 1_024].into_iter().filter(|index| *index < size) {
                let ranges = inclusion_ranges(index, size).unwrap();
                let proof: Vec<_> = ranges.iter().map(|range| both.hash(range.start, range.end)).collect();
                let ours: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
                assert_eq!(ours, both.memory.prove_inclusion(usize::try_from(index).unwrap()).as_bytes());
                let leaf = index.to_be_bytes();
                assert!(is_included(&leaf, index, size, root, &proof));
                assert!(!is_included(b"another", index, size, root, &proof));
            }
            for old in [1, 2, 255, 256, 300, 1_024].into_iter().filter(|old| *old <= size) {
                let ranges = consistency_ranges(old, size).unwrap();
                let proof: Vec<_> = ranges.iter().map(|range| both.hash(range.start, range.end)).collect();
                assert!(is_consistent((old, both.hash_of_first(old)), (size, root), &proof), "{old} {size}");
                assert!(!is_consistent((old, Hash::empty()), (size, root), &proof));
            }
        }
    }

    impl Both {
        fn hash_of_first(&self, size: u64) -> Hash {
            self.hash(0, size)
        }
    }

    #[test]
    fn a_million_rows_take_a_few_spans() {
        assert_eq!(spans(0, 65_536), [Span { level: 16, from: 0, to: 1 }]);
        assert_eq!(
            spans(0, 1_000_001),
            [
                Span { level: 16, from: 0, to: 15 },
                Span { level: 8, from: 3_840, to: 3_906 },
                Span { level: 0, from: 999_936, to: 1_000_001 },
            ]
        );
        assert_eq!(spans(256, 512), [Span { level: 8, from: 1, to: 2 }]);
        assert_eq!(spans(128, 256), [Span { level: 0, from: 128, to: 256 }]);
        assert_eq!(spans(0, 0), []);
    }
}
