//! Whether the world has changed: what came lately beside what came before.

/// Two means, and how probable it is that they differ as much or more by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The mean before.
    pub before: f64,
    /// The mean lately.
    pub lately: f64,
    /// Two-sided p of Welch's test (1947), with the normal distribution instead of Student's: for a hundred values a
    /// side and more. 1 where neither side varies and both are the same, 0 where they are not.
    pub p: f64,
}

/// Compares two samples; nothing if one has fewer than two values.
pub fn shift(before: &[f64], lately: &[f64]) -> Option<Shift> {
    let ((before, one), (lately, other)) = (mean(before)?, mean(lately)?);
    let error = (one + other).sqrt();
    let p = if error > 0.0 {
        libm::erfc((before - lately).abs() / error / std::f64::consts::SQRT_2)
    } else if (before - lately).abs() > 0.0 {
        0.0
    } else {
        1.0
    };
    Some(Shift { before, lately, p })
}

/// The mean, and the square of its standard error.
fn mean(values: &[f64]) -> Option<(f64, f64)> {
    let count = f64::from(u32::try_from(values.len()).ok().filter(|count| *count > 1)?);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, squares / (count - 1.0) / count))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    fn coins(seed: u64, count: usize, odds: f64) -> Vec<f64> {
        let mut chance = StdRng::seed_from_u64(seed);
        (0..count).map(|_| f64::from(chance.random::<f64>() < odds)).collect()
    }

    #[test]
    fn chance_alone_is_rarely_taken_for_a_change() {
        let alarms = (0..400).filter(|seed| {
            let shift = shift(&coins(*seed, 800, 0.3), &coins(seed + 1_000, 200, 0.3)).unwrap();
            shift.p < 0.05
        });
        // 20 of 400, with a standard deviation of 4.4.
        let alarms = alarms.count();
        assert!((5..=37).contains(&alarms), "{alarms}");
    }

    #[test]
    fn a_change_is_seen() {
        for seed in 0..20 {
            assert!(shift(&coins(seed, 800, 0.3), &coins(seed + 1_000, 200, 0.6)).unwrap().p < 1e-4);
        }
        assert_eq!(shift(&[1.0, 1.0], &[0.0, 0.0]).unwrap().p.to_bits(), 0.0_f64.to_bits());
        assert_eq!(shift(&[1.0, 1.0], &[1.0, 1.0]).unwrap().p.to_bits(), 1.0_f64.to_bits());
        assert_eq!(shift(&[1.0], &[0.0, 0.0]), None);
    }
}
