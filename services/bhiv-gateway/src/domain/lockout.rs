//! How long an account is closed after failed logins.

use std::time::Duration;

/// How many attempts are free, and what the next ones cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// This attempt is the first that closes the account for a while.
    pub free: u32,
    /// For how long. Each further attempt doubles it.
    pub first: Duration,
    /// It is never closed for longer.
    pub longest: Duration,
    /// Attempts are forgotten when there was none for this time.
    pub memory: Duration,
}

/// Attempts on one account from one address.
pub const OF_ADDRESS: Rule = Rule {
    free: 5,
    first: Duration::from_secs(5),
    longest: Duration::from_mins(15),
    memory: Duration::from_hours(1),
};

/// Attempts on one account from anywhere: higher, so that a stranger does not lock its owner out with ease.
pub const OF_ACCOUNT: Rule = Rule {
    free: 50,
    first: Duration::from_secs(5),
    longest: Duration::from_mins(15),
    memory: Duration::from_hours(1),
};

/// What is remembered: attempts since the last login, and until when the account is closed, in milliseconds since
/// 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// Until when.
    pub closed_until: u64,
}

/// Counts an attempt, before its password is looked at: guesses at the same time count as well. A login forgets
/// them all.
///
/// # Errors
/// When the account is closed: for how many milliseconds yet.
pub fn attempt(rule: Rule, before: Attempts, now: u64) -> Result<Attempts, u64> {
    if before.closed_until > now {
        return Err(before.closed_until - now);
    }
    let count = before.count.saturating_add(1);
    Ok(Attempts { count, closed_until: now + millis(delay(rule, count)) })
}

/// How long the account is closed after this many attempts.
fn delay(rule: Rule, count: u32) -> Duration {
    let Some(more) = count.checked_sub(rule.free) else { return Duration::ZERO };
    let factor = 2_u32.checked_pow(more).unwrap_or(u32::MAX);
    rule.first.checked_mul(factor).map_or(rule.longest, |delay| delay.min(rule.longest))
}

/// Whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_from_the_first_attempt_that_is_not_free() {
        let seconds: Vec<_> = (1..=16).map(|count| delay(OF_ADDRESS, count).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
        assert_eq!(delay(OF_ADDRESS, u32::MAX), OF_ADDRESS.longest);
    }

    #[test]
    fn a_closed_account_takes_no_attempt() {
        let mut state = Attempts::default();
        for _ in 0..5 {
            state = attempt(OF_ADDRESS, state, 1_000).unwrap();
        }
        assert_eq!(attempt(OF_ADDRESS, state, 1_000), Err(5_000));
        assert_eq!(attempt(OF_ADDRESS, state, 5_999), Err(1));
        let later = attempt(OF_ADDRESS, state, 6_000).unwrap();
        assert_eq!(later, Attempts { count: 6, closed_until: 16_000 });
    }
}
