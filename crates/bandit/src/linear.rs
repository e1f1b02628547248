//! Sums of products, written so that a compiler makes wide instructions of them.

/// Numbers that are added side by side.
const LANES: usize = 8;

/// The dot product of as many numbers as both have.
pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest: f64 = ones.remainder().iter().zip(rest_of(other, one.len())).map(|(a, b)| a * b).sum();
    for (ones, others) in ones.zip(others) {
        for ((lane, a), b) in lanes.iter_mut().zip(ones).zip(others) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// What stands beside the remainder of `length` numbers.
fn rest_of(numbers: &[f64], length: usize) -> &[f64] {
    numbers.get(length - length % LANES..).unwrap_or_default()
}

/// Adds `factor` times `other` to as many numbers as both have.
pub fn add(one: &mut [f64], factor: f64, other: &[f64]) {
    for (a, b) in one.iter_mut().zip(other) {
        *a += factor * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_counts_once() {
        for length in 0..40_u32 {
            let ones: Vec<_> = (0..length).map(f64::from).collect();
            let wanted: f64 = ones.iter().map(|a| a * a).sum();
            assert!((dot(&ones, &ones) - wanted).abs() < 1e-9, "{length}");
        }
        // The other may be longer: a row of which a vector has the first part.
        assert!((dot(&[1.0, 2.0], &[3.0, 4.0, 5.0]) - 11.0).abs() < 1e-12);
        let mut sum = [1.0, 1.0];
        add(&mut sum, 2.0, &[1.0, 2.0]);
        assert!(sum.iter().zip([3.0, 5.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{sum:?}");
    }
}
