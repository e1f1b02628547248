use crate::Vector;
use crate::vector::UNIT;

/// What a target of 1 is in units.
pub const TARGET_UNIT: f64 = 65_536.0;

/// Targets are kept within this.
const LARGEST_TARGET: f64 = 100.0;

/// All that a linear model knows of its examples: the sums of x x^T and of x y, in whole numbers. They have room for
/// 10^12 examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// How many coordinates vectors have.
    pub size: usize,
    /// How many examples.
    pub examples: i64,
    /// The lower triangle of the sum of x x^T, row by row, in units of 2^-16.
    pub products: Vec<i64>,
    /// The sum of x y, in units of 2^-24.
    pub targets: Vec<i64>,
}

impl Sums {
    pub fn new(size: usize) -> Self {
        Self { size, examples: 0, products: vec![0; size * (size + 1) / 2], targets: vec![0; size] }
    }

    /// Adds an example, or takes it away if `times` is -1.
    pub fn count(&mut self, x: &Vector, target: i64, times: i64) {
        self.examples += times;
        for (row, left) in x.units() {
            let left = i64::from(left) * times;
            if let Some(sum) = self.targets.get_mut(row) {
                *sum += left * target;
            }
            let Some(products) = self.products.get_mut(row * (row + 1) / 2..(row + 1) * (row + 2) / 2) else {
                continue;
            };
            for (column, right) in x.units().take_while(|(column, _)| *column <= row) {
                if let Some(sum) = products.get_mut(column) {
                    *sum += left * i64::from(right);
                }
            }
        }
    }

    /// The row of the lower triangle, as numbers.
    #[expect(clippy::cast_precision_loss, reason = "a part in 2^53 makes no difference")]
    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> {
        let products = self.products.get(row * (row + 1) / 2..(row + 1) * (row + 2) / 2).unwrap_or_default();
        products.iter().map(|sum| *sum as f64 / UNIT / UNIT)
    }

    /// The sum of x y, as numbers.
    #[expect(clippy::cast_precision_loss, reason = "a part in 2^53 makes no difference")]
    pub fn moments(&self) -> impl Iterator<Item = f64> {
        self.targets.iter().map(|sum| *sum as f64 / UNIT / TARGET_UNIT)
    }
}

/// A target in units; what is no number is 0.
#[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
pub fn units(target: f64) -> i64 {
    let target = if target.is_nan() { 0.0 } else { target };
    (target.clamp(-LARGEST_TARGET, LARGEST_TARGET) * TARGET_UNIT).round() as i64
}
