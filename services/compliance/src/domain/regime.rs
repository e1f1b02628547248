use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The law that a person's rights come from.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Regime {
    /// The European Union's Regulation 2016/679.
    #[default]
    Gdpr,
    /// India's Digital Personal Data Protection Act, 2023, and the Rules, 2025.
    Dpdp,
}

impl Regime {
    /// How long before an erasure it is announced: under the DPDP Rules (8) 48 hours, in which it can be called off.
    pub fn erasure_notice(self) -> TimeDelta {
        match self {
            Self::Gdpr => TimeDelta::zero(),
            Self::Dpdp => TimeDelta::hours(48),
        }
    }

    /// By when a person's request is answered. GDPR Article 12(3): within one month of its receipt. The DPDP Rules (14)
    /// let whoever is responsible say a time of 90 days at most: here one month, too.
    pub fn answer_by(self, received: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Gdpr | Self::Dpdp => months_after(received, 1),
        }
    }

    /// By when it is answered that needs more time than that, if the law gives more (GDPR Article 12(3)).
    pub fn extended_to(self, received: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Gdpr => Some(months_after(received, 3)),
            Self::Dpdp => None,
        }
    }

    /// By when a breach is reported: within 72 hours of its becoming known (GDPR Article 33(1), DPDP Rules 7(2)).
    pub fn report_by(self, discovered: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Gdpr | Self::Dpdp => discovered + TimeDelta::hours(72),
        }
    }
}

/// The same day of a later month, or its last.
fn months_after(time: DateTime<Utc>, months: u32) -> DateTime<Utc> {
    time.checked_add_months(Months::new(months)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_is_a_month_however_long() {
        for (received, by) in [
            ("2027-01-15T08:00:00Z", "2027-02-15T08:00:00Z"),
            ("2027-01-31T08:00:00Z", "2027-02-28T08:00:00Z"),
            ("2028-01-31T08:00:00Z", "2028-02-29T08:00:00Z"),
            ("2027-12-31T23:59:59Z", "2028-01-31T23:59:59Z"),
        ] {
            assert_eq!(Regime::Gdpr.answer_by(time(received)), time(by));
        }
        let received = time("2027-11-30T08:00:00Z");
        assert_eq!(Regime::Gdpr.extended_to(received), Some(time("2028-02-29T08:00:00Z")));
        assert_eq!(Regime::Dpdp.extended_to(received), None);
    }

    #[test]
    fn hours_are_hours() {
        let now = time("2027-02-27T12:00:00Z");
        assert_eq!(Regime::Dpdp.report_by(now), time("2027-03-02T12:00:00Z"));
        assert_eq!(now + Regime::Dpdp.erasure_notice(), time("2027-03-01T12:00:00Z"));
        assert_eq!(Regime::Gdpr.erasure_notice(), TimeDelta::zero());
    }
}
