//! How sure a mean is, at any time: whoever looks after every number, and stops when they like it, is not deceived.

/// The largest bet.
const BOLDEST: f64 = 0.5;

/// A confidence sequence for the mean of numbers from 0 to 1 (the predictable plug-in empirical Bernstein confidence
/// sequence; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", theorem 2): with
/// the probability 1 - alpha, the mean is within its bounds after every number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequence {
    /// ln(2 / alpha).
    doubt: f64,
    count: f64,
    sum: f64,
    squares: f64,
    bets: f64,
    weighted: f64,
    losses: f64,
}

impl Sequence {
    /// Before the first number. `alpha`, between 0 and 1, is how often its bounds may be wrong at all.
    pub fn new(alpha: f64) -> Self {
        Self {
            doubt: (2.0 / alpha).ln(),
            count: 0.0,
            sum: 0.0,
            squares: 0.0,
            bets: 0.0,
            weighted: 0.0,
            losses: 0.0,
        }
    }

    /// Takes up a number, from 0 to 1.
    pub fn observe(&mut self, value: f64) {
        let before = self.mean();
        let variance = (0.25 + self.squares) / (self.count + 1.0);
        self.count += 1.0;
        let bet = (2.0 * self.doubt / (variance * self.count * self.count.ln_1p())).sqrt().min(BOLDEST);
        self.bets += bet;
        self.weighted += bet * value;
        self.losses += 4.0 * (value - before).powi(2) * ((-(-bet).ln_1p() - bet) / 4.0);
        self.sum += value;
        self.squares += (value - self.mean()).powi(2);
    }

    /// All that it knows, to be kept: count, sum, squares, bets, weighted sum, losses.
    pub fn state(&self) -> [f64; 6] {
        [self.count, self.sum, self.squares, self.bets, self.weighted, self.losses]
    }

    /// Goes on from what [`Sequence::state`] gave, with the same `alpha`.
    pub fn restore(alpha: f64, state: [f64; 6]) -> Self {
        let [count, sum, squares, bets, weighted, losses] = state;
        Self { count, sum, squares, bets, weighted, losses, ..Self::new(alpha) }
    }

    /// The bounds, within 0 and 1.
    pub fn bounds(&self) -> (f64, f64) {
        if self.bets <= 0.0 {
            return (0.0, 1.0);
        }
        let (middle, width) = (self.weighted / self.bets, (self.doubt + self.losses) / self.bets);
        ((middle - width).clamp(0.0, 1.0), (middle + width).clamp(0.0, 1.0))
    }

    /// Numbers that were taken up.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// As if one more number, a half, had been there.
    fn mean(&self) -> f64 {
        (0.5 + self.sum) / (self.count + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// Of many that look after every number, hardly any is ever deceived: far fewer than alpha.
    #[test]
    fn whoever_looks_all_the_time_is_not_deceived() {
        for mean in [0.05, 0.5, 0.8] {
            let deceived = (0..200).filter(|seed| {
                let (mut chance, mut sequence) = (StdRng::seed_from_u64(*seed), Sequence::new(0.05));
                (0..2_000).any(|_| {
                    sequence.observe(f64::from(chance.random::<f64>() < mean));
                    let (lower, upper) = sequence.bounds();
                    !(lower..=upper).contains(&mean)
                })
            });
            // 10 of 200, with a standard deviation of 3.
            assert!(deceived.count() <= 19);
        }
    }

    #[test]
    fn what_is_kept_is_gone_on_from() {
        let mut sequence = Sequence::new(0.1);
        for value in [0.2, 0.9, 0.4] {
            sequence.observe(value);
        }
        let mut restored = Sequence::restore(0.1, sequence.state());
        assert_eq!(restored, sequence);
        sequence.observe(0.7);
        restored.observe(0.7);
        assert_eq!(restored.bounds(), sequence.bounds());
    }

    #[test]
    fn bounds_come_closer_and_the_closer_the_less_numbers_differ() {
        let width = |numbers: u32, of: fn(u32) -> f64| {
            let mut sequence = Sequence::new(0.05);
            (0..numbers).for_each(|number| sequence.observe(of(number)));
            let (lower, upper) = sequence.bounds();
            assert!((lower..=upper).contains(&0.5));
            upper - lower
        };
        let coin = |number: u32| f64::from(number % 2);
        assert!(width(10_000, coin) < 0.05 && width(10_000, coin) < width(1_000, coin));
        assert!(width(10_000, |_| 0.5) < width(10_000, coin) / 4.0);
        assert_eq!(Sequence::new(0.05).bounds(), (0.0, 1.0));
    }
}
