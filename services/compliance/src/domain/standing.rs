//! What follows from everything that a person said to a purpose.

use chrono::{DateTime, Utc};

use super::consent::ConsentState;

/// What a person said, once.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// Grows with each.
    pub version: i64,
    /// What held from then on.
    pub state: ConsentState,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// Since when what holds now has held without a break; `said` is the newest first.
pub fn since(said: &[Said]) -> Option<DateTime<Utc>> {
    let last = said.first()?;
    said.iter().take_while(|said| said.state == last.state).last().map(|said| said.at)
}

/// The version from which on modules act by what holds now; none where everything was yes, for that changes nothing.
/// `said` is the newest first.
pub fn acted_by_from(said: &[Said]) -> Option<i64> {
    let is_yes = |said: &Said| said.state == ConsentState::Granted;
    let last = said.first()?;
    if said.iter().all(is_yes) {
        return None;
    }
    // To say the same once more changes nothing either.
    said.iter().take_while(|said| is_yes(said) == is_yes(last)).last().map(|said| said.version)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::consent::ConsentState::{Expired, Granted, Refused, Withdrawn};

    /// The oldest first, a day apart.
    fn said(states: &[ConsentState]) -> Vec<Said> {
        let said = (1..).zip(states).map(|(version, state)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::days(version);
            Said { version, state: *state, at }
        });
        let mut said: Vec<_> = said.collect();
        said.reverse();
        said
    }

    #[test]
    fn what_is_said_again_holds_since_it_was_said_first() {
        for (states, day) in [
            (&[Granted][..], 1),
            (&[Granted, Granted], 1),
            (&[Granted, Withdrawn, Granted, Granted], 3),
            (&[Granted, Expired, Withdrawn], 3),
        ] {
            let since = since(&said(states)).map(|at| (at - DateTime::UNIX_EPOCH).num_days());
            assert_eq!(since, Some(day), "{states:?}");
        }
        assert_eq!(since(&[]), None);
    }

    #[test]
    fn modules_act_by_what_changes_something() {
        for (states, version) in [
            (&[][..], None),
            (&[Granted, Granted], None),
            (&[Refused], Some(1)),
            (&[Granted, Withdrawn], Some(2)),
            (&[Granted, Withdrawn, Withdrawn], Some(2)),
            (&[Granted, Expired, Withdrawn], Some(2)),
            (&[Granted, Withdrawn, Granted, Granted], Some(3)),
        ] {
            assert_eq!(acted_by_from(&said(states)), version, "{states:?}");
        }
    }
}
