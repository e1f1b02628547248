use std::collections::{BTreeMap, HashMap};

use super::terms::{Term, hash};

/// What is believed of terms before anything was learned: the prior mean of the regression's weights, by
/// the terms' names. A term that is not named has 0.
///
/// It is kept by name and not by coordinate, so that terms that share a coordinate do not share a prior;
/// and the learner learns what it leaves over of a reward. That comes to the same: with prior mean w, the
/// ridge weights A^-1 (lambda w + sum x y) are w + A^-1 sum x (y - x w).
#[derive(Clone, Debug, Default)]
pub struct Prior(HashMap<u64, f64>);

impl Prior {
    /// The weight of `term`.
    pub fn weight(&self, term: &Term<'_>) -> f64 {
        self.0.get(&term.hash).copied().unwrap_or(0.0)
    }
}

impl From<&BTreeMap<String, f64>> for Prior {
    fn from(weights: &BTreeMap<String, f64>) -> Self {
        Self(weights.iter().map(|(name, weight)| (hash(name), *weight)).collect())
    }
}
