use std::time::Duration;

use rand::RngExt as _;

/// Growing delays with full jitter: each is drawn between nothing and a bound that doubles up to a cap, so
/// that clients of a returning server do not come all at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    tries: u32,
}

impl Backoff {
    /// Bounds from `first` up to `cap`.
    pub fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, tries: 0 }
    }

    /// For servers that went away: bounds from 0.2 s to 5 s, without limit of tries.
    pub fn reconnect() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }

    /// The bound of the next delay.
    pub fn bound(&self) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(self.tries.min(16))).min(self.cap)
    }

    /// The next delay.
    pub fn next_delay(&mut self) -> Duration {
        let bound = self.bound();
        self.tries = self.tries.saturating_add(1);
        bound.mul_f64(rand::rng().random::<f64>())
    }

    /// Begins again after a success.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let bounds: Vec<u64> = (0..5)
            .map(|_| {
                let bound = backoff.bound();
                assert!(backoff.next_delay() <= bound);
                bound.as_secs()
            })
            .collect();
        assert_eq!(bounds, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.bound().as_secs(), 1);
    }
}
