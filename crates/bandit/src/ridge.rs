//! Ridge regression: A = lambda I + sum x x^T, kept as its inverse, and the weights A^-1 b with b = sum x y (the
//! matrices of LinUCB; Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation").
//! An example changes the inverse by the formula of Sherman and Morrison (1950):
//!
//! (A + x x^T)^-1 = A^-1 - (A^-1 x) (A^-1 x)^T / (1 + x^T A^-1 x)

use crate::Vector;
use crate::linear::{add, dot};
use crate::sums::Sums;

#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    size: usize,
    /// A^-1, row by row; symmetric.
    inverse: Vec<f64>,
    weights: Vec<f64>,
}

impl Ridge {
    /// Knows nothing. `lambda` is how many examples of each feature the belief is worth that it makes no difference.
    pub fn new(size: usize, lambda: f64) -> Self {
        let mut inverse = vec![0.0; size * size];
        inverse.iter_mut().step_by(size + 1).for_each(|entry| *entry = 1.0 / lambda);
        Self { size, inverse, weights: vec![0.0; size] }
    }

    /// Solves the normal equations, by Cholesky's decomposition.
    pub fn solve(sums: &Sums, lambda: f64) -> Self {
        let size = sums.size;
        // L with L L^T = A, row by row.
        let mut lower: Vec<Vec<f64>> = Vec::with_capacity(size);
        for row in 0..size {
            let mut current: Vec<f64> = sums.row(row).collect();
            if let Some(pivot) = current.last_mut() {
                *pivot += lambda;
            }
            for (column, above) in lower.iter().enumerate() {
                let (done, _) = current.split_at(column);
                let sum = dot(done, above);
                if let (Some(entry), Some(pivot)) = (current.get_mut(column), above.last()) {
                    *entry = (*entry - sum) / pivot;
                }
            }
            let (done, _) = current.split_at(row);
            let sum = dot(done, done);
            if let Some(pivot) = current.last_mut() {
                // It is at least lambda but for rounding.
                *pivot = (*pivot - sum).max(lambda * 1e-9).sqrt();
            }
            lower.push(current);
        }
        // Columns of L^-1, as rows: row i has the entries from i on.
        let mut inverted: Vec<Vec<f64>> = Vec::with_capacity(size);
        for column in 0..size {
            let mut entries: Vec<f64> = vec![0.0; size];
            for (row, left) in lower.iter().enumerate().skip(column) {
                let wanted = if row == column { 1.0 } else { 0.0 };
                let sum =
                    dot(left.get(column..row).unwrap_or_default(), entries.get(column..).unwrap_or_default());
                if let (Some(entry), Some(pivot)) = (entries.get_mut(row), left.last()) {
                    *entry = (wanted - sum) / pivot;
                }
            }
            inverted.push(entries);
        }
        // A^-1 = L^-T L^-1.
        let mut inverse = Vec::with_capacity(size * size);
        for one in &inverted {
            inverse.extend(inverted.iter().map(|other| dot(one, other)));
        }
        let moments: Vec<f64> = sums.moments().collect();
        let weights = inverse.chunks_exact(size.max(1)).map(|row| dot(row, &moments)).collect();
        Self { size, inverse, weights }
    }

    /// What it predicts of `x`.
    pub fn mean(&self, x: &Vector) -> f64 {
        match x.dense(self.size) {
            Some(values) => dot(values, &self.weights),
            None => {
                x.iter().map(|(place, value)| value * self.weights.get(place).copied().unwrap_or(0.0)).sum()
            }
        }
    }

    /// x^T A^-1 x: how little is known of such as `x`, in units of the variance of one outcome.
    pub fn variance(&self, x: &Vector) -> f64 {
        let of_row = |row: &[f64]| match x.dense(self.size) {
            Some(values) => dot(values, row),
            None => x.iter().map(|(place, value)| value * row.get(place).copied().unwrap_or(0.0)).sum(),
        };
        x.iter().filter_map(|(place, value)| Some(value * of_row(self.row(place)?))).sum::<f64>().max(0.0)
    }

    /// Learns that `x` came out as `target`. No coordinate of `x` may lie beyond its size.
    pub fn learn(&mut self, x: &Vector, target: f64) {
        let mut moved = vec![0.0; self.size];
        for (place, value) in x.iter() {
            if let Some(row) = self.row(place) {
                add(&mut moved, value, row);
            }
        }
        let variance: f64 =
            x.iter().map(|(place, value)| value * moved.get(place).copied().unwrap_or(0.0)).sum();
        let scale = 1.0 / (1.0 + variance.max(0.0));
        let missed = target - self.mean(x);
        for (row, left) in self.inverse.chunks_exact_mut(self.size.max(1)).zip(&moved) {
            // What nothing of x touches stays.
            if *left != 0.0 {
                add(row, -left * scale, &moved);
            }
        }
        add(&mut self.weights, missed * scale, &moved);
    }

    /// What each coordinate adds to a prediction.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    fn row(&self, place: usize) -> Option<&[f64]> {
        self.inverse.get(place * self.size..(place + 1) * self.size)
    }
}
