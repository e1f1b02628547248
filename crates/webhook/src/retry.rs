use chrono::{DateTime, TimeDelta, Utc};

/// What is waited for after the first attempt, the second, and so on: the schedule that the specification
/// suggests. An attempt that nothing stands for is the last one.
const SCHEDULE: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It is tried again after this time.
    Retry(TimeDelta),
    /// It was the last attempt.
    GivenUp,
    /// The receiver does not want any more.
    Gone,
}

impl Verdict {
    /// Its name in the log of deliveries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry(_) => "failed",
            Self::GivenUp => "given_up",
            Self::Gone => "gone",
        }
    }
}

/// What the attempt with this number, from 1 on, came to. `status` is absent if nobody answered; `retry_after` is
/// what the receiver asked for, and counts if it is overloaded and asks for more than we would wait; `chance` is
/// between 0 and 1, and keeps many deliveries that failed together from coming back together.
pub fn judge(attempt: i32, status: Option<u16>, retry_after: Option<TimeDelta>, chance: f64) -> Verdict {
    match status {
        Some(200..=299) => return Verdict::Delivered,
        Some(410) => return Verdict::Gone,
        _ => {}
    }
    let place = usize::try_from(attempt).unwrap_or_default().saturating_sub(1);
    let Some(wait) = SCHEDULE.get(place) else { return Verdict::GivenUp };
    let millis = wait.num_milliseconds();
    // A tenth at most, so the order of the schedule stays.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a day has few milliseconds"
    )]
    let jitter = TimeDelta::milliseconds((millis as f64 * 0.1 * chance.clamp(0.0, 1.0)) as i64);
    let asked = retry_after.filter(|_| matches!(status, Some(429 | 503))).unwrap_or_default();
    Verdict::Retry((*wait + jitter).max(asked.min(TimeDelta::hours(24))))
}

/// `Retry-After`: seconds, or a date.
pub(crate) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(TimeDelta::seconds(seconds.into()));
    }
    let until = DateTime::parse_from_rfc2822(header).ok()?;
    Some(until.to_utc() - now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let mut before = TimeDelta::zero();
        for attempt in 1..=9 {
            let Verdict::Retry(soonest) = judge(attempt, None, None, 0.0) else { panic!("{attempt}") };
            let Verdict::Retry(latest) = judge(attempt, Some(500), None, 1.0) else { panic!("{attempt}") };
            assert!(before < soonest && soonest < latest && latest <= soonest + soonest / 10, "{attempt}");
            before = soonest;
        }
        assert_eq!(judge(10, None, None, 0.5), Verdict::GivenUp);
        assert_eq!(judge(1, Some(204), None, 0.5), Verdict::Delivered);
        assert_eq!(judge(1, Some(410), None, 0.5), Verdict::Gone);
        assert_eq!(judge(1, Some(302), None, 0.0), Verdict::Retry(TimeDelta::seconds(5)));
    }

    #[test]
    fn an_overloaded_receiver_says_when() {
        let minutes = TimeDelta::minutes;
        assert_eq!(judge(1, Some(429), Some(minutes(7)), 0.0), Verdict::Retry(minutes(7)));
        assert_eq!(judge(1, Some(503), Some(minutes(9_999)), 0.0), Verdict::Retry(TimeDelta::hours(24)));
        assert_eq!(judge(2, Some(503), Some(minutes(1)), 0.0), Verdict::Retry(minutes(5)));
        assert_eq!(judge(1, Some(500), Some(minutes(7)), 0.0), Verdict::Retry(TimeDelta::seconds(5)));
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:00Z").unwrap().to_utc();
        assert_eq!(retry_after("120", now), Some(minutes(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(TimeDelta::seconds(37)));
        assert_eq!(retry_after("soon", now), None);
    }
}
