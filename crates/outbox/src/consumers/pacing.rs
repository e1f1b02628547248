//! How many messages a queue sends ahead.

use bhiv_broker::Pace;

/// A message that came back so often may be what kills the process.
pub(super) const SUSPICIOUS: i64 = 3;

/// One message first: whether the window may be opened depends on how often that one came back. With a suspicious one
/// in the window, it and what was sent ahead with it are taken one by one: each time that the window is closed counts
/// as one return more for all that was in it, and too many are a dead letter.
#[derive(Debug)]
pub(super) struct Pacing {
    pace: Pace,
    /// Messages that are still to be taken one by one.
    careful: u16,
}

impl Pacing {
    pub(super) fn new() -> Self {
        Self { pace: Pace::Single, careful: 0 }
    }

    /// What to subscribe with.
    pub(super) fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether messages that came back `returns` times at most may be handled at this pace. If not, they go back, and
    /// the pace is another from here.
    pub(super) fn admits(&mut self, returns: i64) -> bool {
        let is_admitted = self.pace == Pace::Single || returns < SUSPICIOUS;
        if !is_admitted {
            self.pace = Pace::Single;
            self.careful = Pace::Window.prefetch();
        }
        is_admitted
    }

    /// Takes note that messages that came back `returns` times at most were handled. Answers whether the pace is
    /// another from here.
    pub(super) fn handled(&mut self, returns: i64) -> bool {
        if self.pace == Pace::Single && returns < SUSPICIOUS && self.careful == 0 {
            self.pace = Pace::Window;
            return true;
        }
        self.careful = self.careful.saturating_sub(1);
        false
    }

    /// Takes note that the subscription broke: what was sent ahead comes again.
    pub(super) fn broke(&mut self) {
        self.pace = Pace::Single;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_opens_after_one_message_that_is_harmless() {
        let mut pacing = Pacing::new();
        assert!(pacing.admits(SUSPICIOUS));
        assert!(!pacing.handled(SUSPICIOUS), "it came back often, and the next may too");
        assert_eq!(pacing.pace(), Pace::Single);
        assert!(pacing.admits(0));
        assert!(pacing.handled(0));
        assert_eq!(pacing.pace(), Pace::Window);
        assert!(pacing.admits(SUSPICIOUS - 1));
        assert!(!pacing.handled(SUSPICIOUS - 1));
        assert_eq!(pacing.pace(), Pace::Window);
    }

    #[test]
    fn a_window_is_closed_once_for_all_that_was_sent_ahead() {
        let mut pacing = Pacing::new();
        pacing.handled(0);
        assert!(!pacing.admits(SUSPICIOUS));
        assert_eq!(pacing.pace(), Pace::Single);
        // Half of a rollout's messages came back as often; between them there are others.
        for message in 0..Pace::Window.prefetch() {
            let returns = if message % 2 == 0 { SUSPICIOUS + 1 } else { 0 };
            assert!(pacing.admits(returns));
            assert!(!pacing.handled(returns), "message {message} opened the window");
        }
        assert!(pacing.handled(0));
        assert_eq!(pacing.pace(), Pace::Window);
    }

    #[test]
    fn a_broken_subscription_begins_with_one_message_and_stays_as_careful_as_it_was() {
        let mut pacing = Pacing::new();
        pacing.handled(0);
        pacing.broke();
        assert_eq!(pacing.pace(), Pace::Single);
        assert!(pacing.handled(0));

        assert!(!pacing.admits(SUSPICIOUS));
        pacing.broke();
        assert!(!pacing.handled(0));
        assert_eq!(pacing.pace(), Pace::Single);
    }
}
