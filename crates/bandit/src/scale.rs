//! Brings features to one scale: their means 0 and their deviations 1, as far as they have been seen.
//!
//! What it keeps are sums of whole numbers, so a row can be taken away again as if it had never been seen.

use crate::Vector;

/// What a value of 1 is in units.
const UNIT: f64 = 1_048_576.0;

/// No value counts as farther from 0.
const LARGEST: f64 = 1e6;

/// The place of the constant: it is 1 in every vector.
pub const CONSTANT: usize = 0;

/// What has been seen of one feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// In how many rows it was.
    pub rows: i64,
    /// The sum of its values, in units of 2^-20.
    pub sum: i128,
    /// The sum of their squares, in units of 2^-40.
    pub squares: i128,
}

/// Means and deviations of features, by place. Features have the places from 1 on; [`CONSTANT`] is none of theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scaler {
    rows: i64,
    seen: Vec<Seen>,
}

impl Scaler {
    /// Goes on from what [`Scaler::rows`] and [`Scaler::seen`] gave.
    pub fn restore(rows: i64, seen: Vec<Seen>) -> Self {
        Self { rows, seen }
    }

    /// How many rows have been seen.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    /// What has been seen of each feature, by place.
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// Takes note of a row: places and values.
    pub fn observe(&mut self, row: &[(usize, f64)]) {
        self.count(row, 1);
    }

    /// Forgets a row that was seen: nothing of it is left.
    pub fn forget(&mut self, row: &[(usize, f64)]) {
        self.count(row, -1);
        while self.seen.last() == Some(&Seen::default()) {
            self.seen.pop();
        }
    }

    fn count(&mut self, row: &[(usize, f64)], rows: i64) {
        self.rows += rows;
        for (place, value) in row {
            if *place >= self.seen.len() {
                self.seen.resize(place + 1, Seen::default());
            }
            if let Some(seen) = self.seen.get_mut(*place) {
                let units = units(*value);
                seen.rows += rows;
                seen.sum += units * i128::from(rows);
                seen.squares += units * units * i128::from(rows);
            }
        }
    }

    /// The row as a learner sees it, the constant included. Places have to ascend.
    ///
    /// A feature that every row has is centred. One that some rows lack is only scaled, so that its absence is 0.
    pub fn scale(&self, row: &[(usize, f64)]) -> Vector {
        let constant = std::iter::once((CONSTANT, 1.0));
        let scaled = row.iter().map(|(place, value)| {
            let scaled = self.seen.get(*place).map_or(0.0, |seen| seen.scale(*value, self.rows));
            (*place, scaled)
        });
        Vector::sorted(constant.chain(scaled))
    }
}

impl Seen {
    #[expect(clippy::cast_precision_loss, reason = "a part in 2^53 makes no difference")]
    fn scale(&self, value: f64, rows: i64) -> f64 {
        let count = self.rows as f64;
        if count < 1.0 {
            return 0.0;
        }
        let (mean, square) = (self.sum as f64 / count / UNIT, self.squares as f64 / count / UNIT / UNIT);
        let value = bounded(value);
        let is_always_there = self.rows == rows;
        let (value, variance) =
            if is_always_there { (value - mean, square - mean * mean) } else { (value, square) };
        // Beyond what rounding leaves of a feature that is always the same.
        if variance > 1e-12 * (1.0 + square) { value / variance.sqrt() } else { 0.0 }
    }
}

fn bounded(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-LARGEST, LARGEST) }
}

#[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
fn units(value: f64) -> i128 {
    (bounded(value) * UNIT).round() as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_feature_gets_mean_0_and_deviation_1() {
        let mut scaler = Scaler::default();
        for value in [10.0, 20.0, 30.0, 40.0] {
            scaler.observe(&[(1, value), (2, 7.0)]);
        }
        let found: Vec<_> = scaler.scale(&[(1, 40.0), (2, 7.0)]).iter().collect();
        // (40 - 25) / sqrt(125), to a 256th.
        let [(0, one), (1, scaled), (2, always)] = found.as_slice() else { panic!("{found:?}") };
        assert!((scaled - 15.0 / 125.0_f64.sqrt()).abs() < 0.002, "{scaled}");
        assert!((one - 1.0).abs() < 1e-12 && always.abs() < 1e-12, "what is always the same says nothing");
    }

    #[test]
    fn what_some_rows_lack_is_0_where_it_lacks() {
        let mut scaler = Scaler::default();
        scaler.observe(&[(1, 3.0)]);
        scaler.observe(&[]);
        let found: Vec<_> = scaler.scale(&[(1, 3.0)]).iter().collect();
        assert_eq!(found, [(0, 1.0), (1, 1.0)]);
        assert_eq!(scaler.scale(&[(9, 3.0)]).iter().last(), Some((9, 0.0)), "nobody has seen it");
    }

    proptest! {
        #[test]
        fn a_forgotten_row_was_never_seen(
            kept in proptest::collection::vec(proptest::collection::vec(-1e7..1e7_f64, 3), 0..20),
            gone in proptest::collection::vec(proptest::collection::vec(-1e7..1e7_f64, 5), 0..20),
        ) {
            let row = |values: &Vec<f64>| (1..).zip(values.iter().copied()).collect::<Vec<_>>();
            let (mut with, mut without) = (Scaler::default(), Scaler::default());
            for values in &gone { with.observe(&row(values)); }
            for values in &kept { with.observe(&row(values)); without.observe(&row(values)); }
            for values in &gone { with.forget(&row(values)); }
            prop_assert_eq!(with, without);
        }
    }
}
