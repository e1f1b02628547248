use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// The most days that a report covers: a leap year.
const MOST_DAYS: i64 = 366;

/// Some whole days, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When the first day begins.
    pub from: DateTime<Utc>,
    /// When the last day ends, which does not belong to it.
    pub until: DateTime<Utc>,
}

/// Why two days make no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeriod {
    #[error("lies before start_date")]
    Backwards,
    #[error("lies more than {MOST_DAYS} days after the beginning of start_date")]
    TooLong,
}

impl Period {
    /// From `start` to `end`, both included.
    ///
    /// # Errors
    /// When it ends before it begins, or is longer than a year.
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, InvalidPeriod> {
        if end < start {
            return Err(InvalidPeriod::Backwards);
        }
        let after = end.checked_add_days(Days::new(1)).ok_or(InvalidPeriod::TooLong)?;
        if (after - start).num_days() > MOST_DAYS {
            return Err(InvalidPeriod::TooLong);
        }
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        Ok(Self { from: midnight(start), until: midnight(after) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(start: &str, end: &str) -> Result<(String, String), InvalidPeriod> {
        let period = Period::new(start.parse().unwrap(), end.parse().unwrap())?;
        Ok((period.from.to_rfc3339(), period.until.to_rfc3339()))
    }

    #[test]
    fn both_days_belong_to_it() {
        let (from, until) = period("2027-01-15", "2027-01-15").unwrap();
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2027-01-15T00:00:00+00:00", "2027-01-16T00:00:00+00:00")
        );
    }

    #[test]
    fn it_goes_forwards_and_is_no_longer_than_a_year() {
        assert_eq!(period("2027-01-15", "2027-01-14"), Err(InvalidPeriod::Backwards));
        assert!(period("2028-01-01", "2028-12-31").is_ok(), "a leap year");
        assert_eq!(period("2027-01-01", "2028-01-02"), Err(InvalidPeriod::TooLong));
    }
}
