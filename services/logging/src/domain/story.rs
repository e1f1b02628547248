use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::EntryId;

/// How many entries a branch has from its root to its tip, at most. Many readers of JSON refuse what is
/// nested more deeply than 64 levels, and each entry is two.
const LONGEST_BRANCH: usize = 25;

/// An entry and what it led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CausalTree {
    /// The entry.
    pub entry: EntryId,
    /// What it led to, the oldest first.
    #[schema(no_recursion)]
    pub effects: Vec<CausalTree>,
}

/// Which entry led to which, every entry once. `entries` are pairs of an entry and its cause, the oldest
/// first; the roots of the trees are those whose cause is absent or not among them.
///
/// A branch that grows too long goes on as a tree of its own; so does what claims to be its own cause.
pub fn trees(entries: &[(EntryId, Option<EntryId>)]) -> Vec<CausalTree> {
    let known: HashSet<_> = entries.iter().map(|(entry, _)| *entry).collect();
    let mut roots = Vec::new();
    let mut effects: HashMap<_, Vec<_>> = HashMap::new();
    for (entry, cause) in entries {
        match cause.filter(|cause| known.contains(cause)) {
            Some(cause) => effects.entry(cause).or_default().push(*entry),
            None => roots.push(*entry),
        }
    }
    let mut forest = Forest { effects, placed: HashSet::new() };
    let left_over = entries.iter().map(|(entry, _)| *entry);
    roots.into_iter().chain(left_over).filter_map(|entry| forest.grow(entry, 1)).collect()
}

struct Forest {
    effects: HashMap<EntryId, Vec<EntryId>>,
    placed: HashSet<EntryId>,
}

impl Forest {
    /// The tree that begins with `entry`, unless that has its place already.
    fn grow(&mut self, entry: EntryId, depth: usize) -> Option<CausalTree> {
        if !self.placed.insert(entry) {
            return None;
        }
        let effects =
            if depth < LONGEST_BRANCH { self.effects.remove(&entry).unwrap_or_default() } else { Vec::new() };
        let effects = effects.into_iter().filter_map(|effect| self.grow(effect, depth + 1)).collect();
        Some(CausalTree { entry, effects })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> EntryId {
        EntryId(Uuid::from_u128(number))
    }

    fn grown(pairs: &[(u128, u128)]) -> Vec<CausalTree> {
        let entries: Vec<_> =
            pairs.iter().map(|(entry, cause)| (id(*entry), (*cause != 0).then(|| id(*cause)))).collect();
        trees(&entries)
    }

    fn tree(entry: u128, effects: Vec<CausalTree>) -> CausalTree {
        CausalTree { entry: id(entry), effects }
    }

    #[test]
    fn effects_hang_below_their_cause() {
        let leaf = |entry| tree(entry, Vec::new());
        let one = tree(1, vec![leaf(2), tree(4, vec![leaf(5)])]);
        assert_eq!(grown(&[(1, 0), (2, 1), (3, 0), (4, 1), (5, 4), (6, 99)]), [one, leaf(3), leaf(6)]);
        // Clocks differ: an effect can seem older than its cause.
        assert_eq!(grown(&[(2, 1), (1, 0)]), [tree(1, vec![leaf(2)])]);
        assert_eq!(grown(&[]), []);
    }

    #[test]
    fn a_circle_is_shown_once() {
        assert_eq!(grown(&[(1, 2), (2, 1)]), [tree(1, vec![tree(2, Vec::new())])]);
        assert_eq!(grown(&[(1, 1)]), [tree(1, Vec::new())]);
    }

    #[test]
    fn a_long_branch_goes_on_as_another_tree() {
        let chain: Vec<_> = (1..=60).map(|entry| (entry, entry - 1)).collect();
        let lengths: Vec<_> = grown(&chain).iter().map(length).collect();
        assert_eq!(lengths, [25, 25, 10]);
    }

    fn length(tree: &CausalTree) -> usize {
        1 + tree.effects.first().map_or(0, length)
    }
}
