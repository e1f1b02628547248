use std::time::Duration;

use crate::Outcome;

/// Failures in a row after which it opens.
const LIMIT: u32 = 20;

/// Time between two tries while it is open.
const PROBE: Duration = Duration::from_secs(5);

/// Notices that everything fails, as when something that every handler needs is broken: then one message is
/// tried every 5 s until one succeeds, and the others wait in their queue instead of being parked.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.failures >= LIMIT
    }

    pub(super) fn note(&mut self, outcomes: &[Outcome]) {
        let was_open = self.is_open();
        for outcome in outcomes {
            self.failures = match outcome {
                Outcome::Parked(_) => self.failures.saturating_add(1),
                // These say nothing about whether handlers work.
                Outcome::Repeated | Outcome::Early(_) => self.failures,
                Outcome::Done | Outcome::Stale | Outcome::Dead(_) => 0,
            };
        }
        if self.is_open() != was_open {
            tracing::warn!(
                is_open = self.is_open(),
                "handlers fail: one message every {PROBE:?} until one succeeds"
            );
        }
    }

    /// Waits for the next try.
    pub(super) async fn pause(&self) {
        if self.is_open() {
            tokio::time::sleep(PROBE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_a_success() {
        let mut breaker = Breaker::default();
        let failed = || Outcome::Parked("down".to_owned());
        breaker.note(&vec![failed(); 19]);
        breaker.note(&[Outcome::Done]);
        breaker.note(&vec![failed(); 19]);
        assert!(!breaker.is_open());
        breaker.note(&[Outcome::Repeated, failed()]);
        assert!(breaker.is_open());
        breaker.note(&[Outcome::Done]);
        assert!(!breaker.is_open());
    }
}
