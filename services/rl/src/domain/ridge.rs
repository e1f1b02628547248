//! The learner: ridge regression, updated one outcome at a time.
//!
//! It keeps the two matrices of LinUCB (Li et al. 2010, "A contextual-bandit approach to personalized news
//! article recommendation"): A = lambda I + sum x x^T, here as its inverse, and b = sum x y, for vectors x
//! and targets y. The weights are A^-1 b, exactly those of a regression over everything seen; the inverse
//! follows each x by the formula of Sherman and Morrison (1950), "Adjustment of an inverse matrix
//! corresponding to a change in one element of a given matrix":
//!
//! (A + x x^T)^-1 = A^-1 - (A^-1 x) (A^-1 x)^T / (1 + x^T A^-1 x)

use std::num::NonZeroUsize;

use super::sparse::Sparse;

/// Ridge regression.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    dimension: NonZeroUsize,
    /// A^-1, row by row; symmetric.
    inverse: Vec<f64>,
    /// b.
    moments: Vec<f64>,
}

impl Ridge {
    /// Knows nothing: every weight is zero. `lambda` is how many outcomes that belief is worth.
    pub fn new(dimension: NonZeroUsize, lambda: f64) -> Self {
        let size = dimension.get();
        let mut inverse = vec![0.0; size * size];
        inverse.iter_mut().step_by(size + 1).for_each(|entry| *entry = 1.0 / lambda);
        Self { dimension, inverse, moments: vec![0.0; size] }
    }

    /// Goes on from what [`Ridge::inverse`] and [`Ridge::moments`] gave; none if their sizes do not fit.
    pub fn restore(dimension: NonZeroUsize, inverse: Vec<f64>, moments: Vec<f64>) -> Option<Self> {
        let size = dimension.get();
        let fits = inverse.len() == size * size && moments.len() == size;
        fits.then_some(Self { dimension, inverse, moments })
    }

    /// A^-1, row by row.
    pub fn inverse(&self) -> &[f64] {
        &self.inverse
    }

    /// b.
    pub fn moments(&self) -> &[f64] {
        &self.moments
    }

    /// How many coordinates its vectors have.
    pub fn dimension(&self) -> NonZeroUsize {
        self.dimension
    }

    /// A^-1 b: what each coordinate adds to a prediction.
    pub fn weights(&self) -> Vec<f64> {
        self.rows()
            .map(|row| row.iter().zip(&self.moments).map(|(entry, moment)| entry * moment).sum())
            .collect()
    }

    /// x^T A^-1 x: how little is known about vectors such as `x`, in units of the noise of one outcome.
    pub fn variance(&self, x: &Sparse) -> f64 {
        x.dot(&self.times(x)).max(0.0)
    }

    /// Learns that `x` came out as `target`.
    pub fn learn(&mut self, x: &Sparse, target: f64) {
        let moved = self.times(x);
        let scale = 1.0 + x.dot(&moved);
        let size = self.dimension.get();
        for (row, left) in self.inverse.chunks_exact_mut(size).zip(&moved) {
            for (entry, right) in row.iter_mut().zip(&moved) {
                *entry -= left * right / scale;
            }
        }
        for (place, value) in x.iter() {
            if let Some(moment) = self.moments.get_mut(place) {
                *moment += value * target;
            }
        }
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.inverse.chunks_exact(self.dimension.get())
    }

    /// A^-1 x.
    fn times(&self, x: &Sparse) -> Vec<f64> {
        self.rows().map(|row| x.dot(row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 8;
    const LAMBDA: f64 = 0.5;

    fn size() -> NonZeroUsize {
        NonZeroUsize::new(SIZE).unwrap()
    }

    /// Solves the normal equations by Gauss-Jordan elimination with pivoting.
    fn solve(examples: &[(Sparse, f64)], lambda: f64, prior: &[f64]) -> Vec<f64> {
        let mut rows = vec![vec![0.0; SIZE + 1]; SIZE];
        for (place, row) in rows.iter_mut().enumerate() {
            row[place] = lambda;
            row[SIZE] = lambda * prior[place];
        }
        for (x, target) in examples {
            for (one, left) in x.iter() {
                for (other, right) in x.iter() {
                    rows[one][other] += left * right;
                }
                rows[one][SIZE] += left * target;
            }
        }
        for pivot in 0..SIZE {
            let best = (pivot..SIZE)
                .max_by(|one, other| rows[*one][pivot].abs().total_cmp(&rows[*other][pivot].abs()))
                .unwrap();
            rows.swap(pivot, best);
            let lead = rows[pivot].clone();
            for (place, row) in rows.iter_mut().enumerate() {
                let factor = if place == pivot { 1.0 - 1.0 / lead[pivot] } else { row[pivot] / lead[pivot] };
                for (entry, above) in row.iter_mut().zip(&lead) {
                    *entry -= factor * above;
                }
            }
        }
        rows.iter().map(|row| row[SIZE]).collect()
    }

    fn examples() -> impl Strategy<Value = Vec<(Sparse, f64)>> {
        let vector = proptest::collection::vec((0..SIZE, -1.0..1.0_f64), 0..6)
            .prop_map(|entries| entries.into_iter().collect::<Sparse>());
        proptest::collection::vec((vector, 0.0..1.0_f64), 0..200)
    }

    fn assert_close(one: &[f64], other: &[f64]) {
        for (one, other) in one.iter().zip(other) {
            assert!((one - other).abs() < 1e-8, "{one} is not {other}");
        }
    }

    proptest! {
        #[test]
        fn updating_one_by_one_is_solving_all_at_once(examples in examples()) {
            let mut ridge = Ridge::new(size(), LAMBDA);
            for (x, target) in &examples {
                ridge.learn(x, *target);
            }
            assert_close(&ridge.weights(), &solve(&examples, LAMBDA, &[0.0; SIZE]));
        }

        #[test]
        fn learning_what_a_prior_leaves_over_is_having_it_as_prior_mean(
            examples in examples(),
            prior in proptest::collection::vec(-1.0..1.0_f64, SIZE),
        ) {
            let mut ridge = Ridge::new(size(), LAMBDA);
            for (x, target) in &examples {
                ridge.learn(x, target - x.dot(&prior));
            }
            let weights: Vec<_> = ridge.weights().iter().zip(&prior).map(|(weight, prior)| weight + prior).collect();
            assert_close(&weights, &solve(&examples, LAMBDA, &prior));
        }

        #[test]
        fn what_was_seen_is_known_better(examples in examples()) {
            let mut ridge = Ridge::new(size(), LAMBDA);
            for (x, target) in &examples {
                let before = ridge.variance(x);
                ridge.learn(x, *target);
                let expected = before / (1.0 + before);
                prop_assert!((ridge.variance(x) - expected).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_was_kept_is_restored_only_if_it_fits() {
        let mut ridge = Ridge::new(size(), LAMBDA);
        ridge.learn(&[(1, 1.0)].into_iter().collect(), 1.0);
        let (inverse, moments) = (ridge.inverse().to_vec(), ridge.moments().to_vec());
        assert_eq!(Ridge::restore(size(), inverse.clone(), moments.clone()), Some(ridge));
        assert_eq!(Ridge::restore(size(), inverse, moments[1..].to_vec()), None);
    }
}
