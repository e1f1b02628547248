//! Predicts what each action earns, and how well that is known.

use std::collections::BTreeMap;

use crate::Vector;
use crate::ridge::Ridge;
use crate::sums::{Sums, units};

/// What is expected of an action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The reward that is expected of it.
    pub mean: f64,
    /// How little is known of it there: its variance in units of that of one outcome, x^T A^-1 x.
    pub variance: f64,
}

impl Prediction {
    /// The square root of the variance.
    pub fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }
}

/// Linear models of rewards, one for each block. What each action earns is learned by itself if each has a block of
/// its own; if all share one, what is learned of one action holds for others with the same features.
///
/// It is a function of what it was told, whatever the order: see [`Learner::settle`].
#[derive(Clone, Debug)]
pub struct Learner {
    size: usize,
    lambda: f64,
    blocks: BTreeMap<String, Block>,
    /// Of a block that nobody has told anything of.
    unknown: Ridge,
}

#[derive(Clone, Debug)]
struct Block {
    sums: Sums,
    ridge: Ridge,
}

/// Why statistics cannot be gone on from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// They end early, or go on.
    #[error("the statistics have the wrong length")]
    Length,
    /// A block has a name that is no text.
    #[error("the name of a block is no text")]
    Name,
}

impl Learner {
    /// Knows nothing. Vectors have `size` coordinates; what lies beyond is not seen. `lambda`, above 0, is how many
    /// examples the belief is worth that a feature makes no difference.
    pub fn new(size: usize, lambda: f64) -> Self {
        Self { size, lambda, blocks: BTreeMap::new(), unknown: Ridge::new(size, lambda) }
    }

    /// How many coordinates vectors have.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many examples it was told.
    pub fn examples(&self) -> i64 {
        self.blocks.values().map(|block| block.sums.examples).sum()
    }

    /// Names of its blocks, in their order, and how many examples each was told.
    pub fn blocks(&self) -> impl Iterator<Item = (&str, i64)> {
        self.blocks.iter().map(|(name, block)| (name.as_str(), block.sums.examples))
    }

    /// What is expected of `x` in a block.
    pub fn predict(&self, block: &str, x: &Vector) -> Prediction {
        let ridge = self.ridge(block);
        Prediction { mean: ridge.mean(x), variance: ridge.variance(x) }
    }

    /// The same, for who does not ask how well it is known: that is most of the work.
    pub fn mean(&self, block: &str, x: &Vector) -> f64 {
        self.ridge(block).mean(x)
    }

    /// What each coordinate adds to what is expected in a block.
    pub fn weights(&self, block: &str) -> &[f64] {
        self.ridge(block).weights()
    }

    /// Learns that `x` came out as `reward` in a block.
    pub fn learn(&mut self, block: &str, x: &Vector, reward: f64) {
        if !self.blocks.contains_key(block) {
            let fresh = Block { sums: Sums::new(self.size), ridge: self.unknown.clone() };
            self.blocks.insert(block.to_owned(), fresh);
        }
        if let Some(block) = self.blocks.get_mut(block) {
            block.sums.count(x, units(reward), 1);
            block.ridge.learn(x, reward);
        }
    }

    /// Forgets an example that it was told, with everything that follows from it: it is what it would be without.
    pub fn forget(&mut self, block: &str, x: &Vector, reward: f64) {
        let Some(known) = self.blocks.get_mut(block) else { return };
        known.sums.count(x, units(reward), -1);
        if known.sums.examples == 0 {
            self.blocks.remove(block);
        } else {
            known.ridge = Ridge::solve(&known.sums, self.lambda);
        }
    }

    /// Computes predictions anew from the statistics. Learning changes them a little at a time, by which rounding
    /// errors add up, and in another order to others; from here on two learners with the same statistics predict
    /// the same, bit for bit.
    pub fn settle(&mut self) {
        for block in self.blocks.values_mut() {
            block.ridge = Ridge::solve(&block.sums, self.lambda);
        }
    }

    /// Everything that it knows: the same for the same examples, in whatever order. To be kept, and to be hashed.
    ///
    /// For each block, by name: the length of the name (8 bytes), the name, the number of examples, the lower triangle
    /// of the sum of x x^T row by row in units of 2^-16, the sum of x y in units of 2^-24; each number has 8 bytes,
    /// little-endian.
    pub fn statistics(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, Block { sums, .. }) in &self.blocks {
            let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
            bytes.extend(length.to_le_bytes());
            bytes.extend(name.as_bytes());
            let numbers = std::iter::once(&sums.examples).chain(&sums.products).chain(&sums.targets);
            bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
        }
        bytes
    }

    /// Goes on from what [`Learner::statistics`] gave.
    ///
    /// # Errors
    /// When that is not of a learner of this size.
    pub fn restore(size: usize, lambda: f64, statistics: &[u8]) -> Result<Self, Malformed> {
        let mut learner = Self::new(size, lambda);
        let mut rest = statistics;
        while !rest.is_empty() {
            let length = usize::try_from(number(&mut rest)?).map_err(|_| Malformed::Length)?;
            let (name, after) = rest.split_at_checked(length).ok_or(Malformed::Length)?;
            rest = after;
            let name = str::from_utf8(name).map_err(|_| Malformed::Name)?.to_owned();
            let mut sums = Sums::new(size);
            sums.examples = number(&mut rest)?;
            for sum in sums.products.iter_mut().chain(&mut sums.targets) {
                *sum = number(&mut rest)?;
            }
            let ridge = Ridge::solve(&sums, lambda);
            learner.blocks.insert(name, Block { sums, ridge });
        }
        Ok(learner)
    }

    fn ridge(&self, block: &str) -> &Ridge {
        self.blocks.get(block).map_or(&self.unknown, |block| &block.ridge)
    }
}

fn number(rest: &mut &[u8]) -> Result<i64, Malformed> {
    let (number, after) = rest.split_first_chunk().ok_or(Malformed::Length)?;
    *rest = after;
    Ok(i64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 6;

    type Example = (String, Vector, f64);

    fn examples(most: usize) -> impl Strategy<Value = Vec<Example>> {
        let vector = proptest::collection::vec((0..SIZE, -3.0..3.0_f64), 0..SIZE).prop_map(Vector::new);
        let block = prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
        proptest::collection::vec((block, vector, 0.0..1.0_f64), 0..most)
    }

    fn told(examples: &[Example]) -> Learner {
        let mut learner = Learner::new(SIZE, 0.5);
        for (block, x, reward) in examples {
            learner.learn(block, x, *reward);
        }
        learner
    }

    fn close(one: Prediction, other: Prediction) -> bool {
        (one.mean - other.mean).abs() < 1e-6 && (one.variance - other.variance).abs() < 1e-6
    }

    proptest! {
        /// What Sherman and Morrison's formula gives one by one is what the normal equations give at once.
        #[test]
        fn learning_one_by_one_is_solving_all_at_once(examples in examples(150), x in examples(2)) {
            let learner = told(&examples);
            let mut settled = learner.clone();
            settled.settle();
            for (block, x, _) in x.iter().chain(&examples) {
                // Rewards are kept in units of 2^-16.
                let (one, other) = (learner.predict(block, x), settled.predict(block, x));
                prop_assert!((one.mean - other.mean).abs() < 1e-3 && (one.variance - other.variance).abs() < 1e-6);
            }
        }

        /// Bit for bit: what is forgotten was never learned.
        #[test]
        fn what_is_forgotten_leaves_nothing(kept in examples(40), gone in examples(40), order in any::<bool>()) {
            let all: Vec<_> = if order { kept.iter().chain(&gone).cloned().collect() }
                else { gone.iter().chain(&kept).cloned().collect() };
            let mut learner = told(&all);
            for (block, x, reward) in gone.iter().rev() {
                learner.forget(block, x, *reward);
            }
            let mut without = told(&kept);
            prop_assert_eq!(learner.statistics(), without.statistics());
            learner.settle();
            without.settle();
            for (block, x, _) in &all {
                prop_assert_eq!(learner.predict(block, x), without.predict(block, x));
            }
        }

        #[test]
        fn what_is_kept_is_gone_on_from(examples in examples(40)) {
            let mut learner = told(&examples);
            learner.settle();
            let bytes = learner.statistics();
            let restored = Learner::restore(SIZE, 0.5, &bytes).unwrap();
            prop_assert_eq!(restored.statistics(), bytes);
            for (block, x, _) in &examples {
                prop_assert_eq!(learner.predict(block, x), restored.predict(block, x));
            }
        }

        /// An outcome takes away as much of what is not known as it should: v becomes v / (1 + v).
        #[test]
        fn what_was_seen_is_known_better(examples in examples(60)) {
            let mut learner = Learner::new(SIZE, 0.5);
            for (block, x, reward) in &examples {
                let before = learner.predict(block, x).variance;
                learner.learn(block, x, *reward);
                let after = learner.predict(block, x).variance;
                prop_assert!((after - before / (1.0 + before)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_block_that_nobody_told_of_is_not_known() {
        let (x, learner) = (Vector::new([(0, 1.0)]), told(&[]));
        assert_eq!(learner.predict("a", &x), Prediction { mean: 0.0, variance: 2.0 });
        assert!(close(learner.predict("a", &Vector::default()), Prediction { mean: 0.0, variance: 0.0 }));
        assert_eq!(Learner::restore(SIZE, 0.5, &[1, 2, 3]).unwrap_err(), Malformed::Length);
        let mut cut = told(&[("a".to_owned(), x, 1.0)]).statistics();
        cut.pop();
        assert_eq!(Learner::restore(SIZE, 0.5, &cut).unwrap_err(), Malformed::Length);
    }
}
